import { createHash, randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateEventBusCommand, EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { createDocumentClient } from '../../lambda/common/dynamo.client';
import { S3Files } from '../../lambda/common/s3.client';
import { ModelRegistryClient } from '../../lambda/registry/model-registry.client';
import { DataManifest } from '../../lib/artifacts/contract';
import { COMMON_ENV } from '../../lib/common/contract';
import { PIPELINE_ENV, PipelineSpec } from '../../lib/pipeline/contract';
import { REGISTRY_ENV, REGISTRY_ERRORS } from '../../lib/registry/contract';
import { ModelRegistry } from '../../lib/registry/model-registry';
import { RETRAINING_ENV } from '../../lib/retraining/contract';
import { TRACKING_ENV } from '../../lib/tracking/contract';
import { RunTracker } from '../../lib/tracking/run-tracker';
import { installWriter } from '../fakes/registry';
import { tarball } from '../fakes/tarball';
import { client, eventually, useEngine } from './harness';
import { createTablesOf } from './tables';

type Handler = (event: unknown) => Promise<object>;

const model = 'Bikes';
const suffix = randomUUID().slice(0, 8);
const bucket = `steps-${suffix}`;
const files = new S3Files(client(S3Client));
const sqs = client(SQSClient);

let tables: Awaited<ReturnType<typeof createTablesOf>>;
let registry: ModelRegistryClient;
let queueUrl: string;
let steps: { readonly register: Handler; readonly approve: Handler; readonly promote: Handler };

/** A bus of its own, with a queue behind it that receives all its events. */
const createBus = async (): Promise<string> => {
  const events = client(EventBridgeClient);
  const Name = `bus-${suffix}`;
  await events.send(new CreateEventBusCommand({ Name }));
  const { region, accountId } = useEngine();
  const Arn = `arn:aws:sqs:${region}:${accountId}:${Name}`;
  const Statement = [{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: Arn }];
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  queueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: Name, Attributes: { Policy } }))).QueueUrl as string;
  await events.send(new PutRuleCommand({ Name, EventBusName: Name, EventPattern: '{"source":["cdk-mlops"]}' }));
  await events.send(new PutTargetsCommand({ Rule: Name, EventBusName: Name, Targets: [{ Id: 'all', Arn }] }));
  return Name;
};

const nextEvents = async (count: number): Promise<{ readonly type: string; readonly detail: Record<string, unknown> }[]> => {
  const found: { type: string; detail: Record<string, unknown> }[] = [];
  return eventually(`${count} events`, async () => {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 }));
    for (const { Body } of Messages) {
      const { 'detail-type': type, detail } = JSON.parse(Body as string);
      found.push({ type, detail });
    }
    return found.length >= count ? found : undefined;
  });
};

const spec: PipelineSpec = {
  model,
  task: { kind: 'REGRESSION', target: 'cnt', timeColumn: 'at' },
  holdout: { days: 1 },
  gate: {
    ...{ metric: 'rmse', minimumImprovement: 0, confidence: 0.95, minimumBlocks: 20, fewBlocks: 'widen', bounds: [], groups: [] },
    allowedDuplicateShare: 0.01,
  },
  training: {
    image: 'xgboost:3.0-5',
    entryPoint: 'train.py',
    instanceType: 'ml.m5.large',
    codeUri: 's3://code/code.tar.gz',
    codeSha256: 'c'.repeat(64),
  },
  hyperparameters: {},
  commit: 'abc',
  dirty: true,
  minimumTrainingRows: 1,
  jobNamePrefix: 'test-bikes',
};

beforeAll(async () => {
  tables = await createTablesOf((scope) => {
    new ModelRegistry(scope, 'Store');
    new RunTracker(scope, 'Tracker');
  });
  const s3 = client(S3Client);
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  registry = new ModelRegistryClient(tables.named('Registry'), tables.named('History'), createDocumentClient(client(DynamoDBClient)));
  Object.assign(process.env, useEngine().env, {
    [COMMON_ENV.platform]: 'Test',
    [REGISTRY_ENV.registryTable]: tables.named('Registry'),
    [REGISTRY_ENV.historyTable]: tables.named('History'),
    [TRACKING_ENV.runsTable]: tables.named('Runs'),
    [RETRAINING_ENV.busName]: await createBus(),
    [PIPELINE_ENV.spec]: JSON.stringify(spec),
  });
  installWriter();
  // Entries read their environment when they are loaded, as in Lambda.
  steps = {
    register: (await import('../../lambda/registry/register-version.lambda')).handler,
    approve: (await import('../../lambda/registry/approve-version.lambda')).handler,
    promote: (await import('../../lambda/registry/promote-version.lambda')).handler,
  };
});

afterAll(async () => tables.remove());

const modelOf = (runId: string): Buffer => tarball([{ path: 'model.json', text: `"model of ${runId}"` }]);

const PLACE = { endpointName: 'test-bikes', predictionsUri: 's3://predictions/capture/test-bikes/primary/' };

/** What the steps before have left: a model, a manifest, code and training rows. */
const input = async (passed = true) => {
  const runId = randomUUID();
  const root = `s3://${bucket}/${runId}`;
  const split = { uri: `${root}/train.csv`, rows: 1 };
  const manifest: DataManifest = {
    schemaVersion: 1,
    dataId: `data-${runId}`,
    model,
    bucket,
    files: [],
    columns: ['at', 'hr', 'cnt'],
    rows: 1,
    quarantinedRows: 0,
    train: split,
    holdout: split,
  };
  await files.putText(split.uri, 'at,hr,cnt\n2026-01-01T00:00:00Z,3,17\n');
  await files.putJson(`${root}/data-manifest.json`, manifest);
  await files.put(`${root}/model.tar.gz`, modelOf(runId));
  await files.put(`${root}/code.tar.gz`, tarball([{ path: 'train.py', text: 'print(1)' }]));
  await files.putJson(`${root}/configuration.json`, spec);
  return {
    runId,
    causeId: 'cause',
    cause: 'rmse left its bound',
    model,
    manifestUri: `${root}/data-manifest.json`,
    prepared: {
      manifestUri: `${root}/data-manifest.json`,
      trainUri: split.uri,
      codeUri: `${root}/code.tar.gz`,
      holdoutUri: split.uri,
      modelOutputUri: `${root}/model`,
      configuration: { uri: `${root}/configuration.json`, sha256: 'f'.repeat(64) },
    },
    trainingJob: {
      TrainingJobName: 'job',
      LastModifiedTime: 1_767_225_600,
      ModelArtifacts: { S3ModelArtifacts: `${root}/model.tar.gz` },
      HyperParameters: { eta: '0.1' },
      AlgorithmSpecification: { TrainingImage: 'xgboost:3.0-5', TrainingInputMode: 'File' },
    },
    sagemakerModelName: 'bikes-1',
    evaluation: { passed, reason: passed ? 'no champion yet' : 'worse than v1', reportUri: `${root}/gate.json`, metrics: { rmse: 64 } },
    baselineUri: `${root}/baseline.json`,
  };
};

test('a candidate that passed is registered with the digest of its artifact, approved and promoted; a second try tells the same', async () => {
  const event = await input();
  const registered = await steps.register(event);
  expect(registered).toMatchObject({ version: 1, state: 'PendingApproval' });
  const version = await registry.getVersion(model, 1);
  const artifactUri = event.trainingJob.ModelArtifacts.S3ModelArtifacts;
  expect(version).toMatchObject({
    artifact: { uri: artifactUri, versionId: (await files.head(artifactUri))?.versionId },
    schema: { columns: [{ name: 'at', type: 'timestamp' }, { name: 'hr', type: 'number' }], target: 'cnt', timeColumn: 'at' },
    code: { uri: event.prepared.codeUri, commit: 'abc', dirty: true, entryPoint: 'train.py' },
    dataId: `data-${event.runId}`,
    hyperparameters: { eta: '0.1' },
  });
  expect(version.artifact?.sha256).toBe(createHash('sha256').update(modelOf(event.runId)).digest('hex'));
  expect(await steps.register(event)).toEqual(registered);
  expect(await steps.approve({ model, version: 1, policy: 'automatic', reason: 'declared' })).toEqual({ version: 1, state: 'Approved' });
  const promotion = { model, version: 1, runId: event.runId, reason: 'endpoint in service', ...PLACE };
  expect(await steps.promote(promotion)).toEqual({ version: 1, previousVersion: undefined, state: 'Production' });
  expect((await registry.history(model)).map(({ actor }) => actor)).toEqual(['pipeline', 'pipeline', 'policy:automatic', 'pipeline']);
  const told = await nextEvents(3);
  expect(told.map(({ type }) => type)).toEqual(['Model Version Registered', 'Model Version Registered', 'Model Version Promoted']);
  expect(told[1].detail).toEqual(told[0].detail);
  expect(told[2].detail).toMatchObject({ platform: 'Test', model, version: 1, runId: event.runId });
});

test('a candidate that failed is registered as rejected, told, and can neither be approved nor promoted', async () => {
  expect(await steps.register(await input(false))).toEqual({ version: 2, state: 'Rejected' });
  const refused = { name: REGISTRY_ERRORS.illegalTransition };
  await expect(steps.approve({ model, version: 2, policy: 'automatic', reason: 'declared' })).rejects.toMatchObject(refused);
  await expect(steps.promote({ model, version: 2, runId: 'x', expectedChampion: 1, reason: 'x', ...PLACE })).rejects.toMatchObject(refused);
  const told = await nextEvents(2);
  expect(told.map(({ type }) => type).sort()).toEqual(['Candidate Rejected', 'Model Version Registered']);
  expect(told.find(({ type }) => type === 'Candidate Rejected')?.detail).toMatchObject({ version: 2, reason: 'worse than v1' });
});

test('a promotion is refused when another champion serves than the one that the candidate was judged against', async () => {
  await steps.register(await input());
  await steps.approve({ model, version: 3, policy: 'automatic', reason: 'declared' });
  await expect(steps.promote({ model, version: 3, runId: 'x', reason: 'x', ...PLACE })).rejects.toMatchObject({ name: REGISTRY_ERRORS.conflict });
  expect((await registry.champion(model))?.version).toBe(1);
});

test('a training job whose model is not there fails naming it', async () => {
  const event = await input();
  const trainingJob = { ...event.trainingJob, ModelArtifacts: { S3ModelArtifacts: `s3://${bucket}/nothing` } };
  await expect(steps.register({ ...event, trainingJob })).rejects.toThrow(`s3://${bucket}/nothing`);
});
