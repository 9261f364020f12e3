import { type InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ModelRegistryClient } from '../../lambda/registry/model-registry.client';
import { RegistryWriter } from '../../lambda/registry/registry-writer';
import type { ModelVersion, VersionRecord } from '../../lib/registry/contract';

/** A registry whose writer stands in the same process. */
export const registryOver = (db: DynamoDBDocumentClient, registryTable = 'registry', historyTable = 'history'): ModelRegistryClient =>
  new ModelRegistryClient(registryTable, historyTable, db, new RegistryWriter(registryTable, historyTable, db));

export const WRITER_FUNCTION = 'write-registry';

type Send = (command: InvokeCommand) => Promise<unknown>;

/** Answers calls of the writer function in this process, with the environment that it has now; other calls go where they went. */
export const installWriter = (): jest.SpyInstance => {
  process.env.MLOPS_REGISTRY_WRITER = WRITER_FUNCTION;
  const others = LambdaClient.prototype.send.bind(new LambdaClient({})) as unknown as Send;
  const send: Send = async (command) => {
    if (command.input.FunctionName !== WRITER_FUNCTION) return others(command);
    const { handler } = await import('../../lambda/registry/write-registry.lambda');
    const answer = await handler(JSON.parse(Buffer.from(command.input.Payload as Uint8Array).toString()) as never);
    return { Payload: Buffer.from(JSON.stringify(answer)) };
  };
  return jest.spyOn(LambdaClient.prototype, 'send').mockImplementation(send as never);
};

/** A record that lacks nothing. */
export const versionRecord = (runId: string, changes: Partial<VersionRecord> = {}): VersionRecord => ({
  artifact: { uri: 's3://artifacts/model.tar.gz', versionId: '1', sha256: 'a'.repeat(64), bytes: 10 },
  dataManifestUri: 's3://artifacts/manifest.json',
  dataId: 'data',
  code: { uri: 's3://code/code.tar.gz', sha256: 'b'.repeat(64), entryPoint: 'train.py' },
  inferenceCode: { uri: 's3://code/code.tar.gz', sha256: 'b'.repeat(64), entryPoint: 'train.py' },
  dependencies: { uri: 's3://artifacts/requirements.txt', sha256: 'c'.repeat(64), origin: 'requirements' },
  image: 'xgboost:3.0-5',
  configuration: { uri: 's3://artifacts/configuration.json', sha256: 'd'.repeat(64) },
  hyperparameters: { eta: '0.1' },
  metrics: { rmse: 64.25 },
  schema: { columns: [{ name: 'hr', type: 'number' }], target: 'cnt' },
  gate: { passed: true, reason: 'first version', reportUri: 's3://reports/gate.json' },
  baselineUri: 's3://reports/baseline.json',
  sagemakerModelName: 'bikes-1',
  runId,
  causeId: 'cause',
  cause: 'somebody asked',
  ...changes,
});

/** Registers as a pipeline does. */
export const register = async (
  registry: ModelRegistryClient,
  name: string,
  record: VersionRecord,
  change = { actor: 'pipeline', reason: 'because' },
): Promise<ModelVersion> => registry.registerVersion({ name }, { source: record.artifact.uri, runId: record.runId, record }, change);
