import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DeleteObjectCommand, ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { DeleteCommand, type DynamoDBDocumentClient, PutCommand, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { type App, CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { createDocumentClient } from '../../lambda/common/dynamo.client';
import { S3Files } from '../../lambda/common/s3.client';
import { HistoryCopiesClient } from '../../lambda/registry/history-copies.client';
import { ModelRegistryClient } from '../../lambda/registry/model-registry.client';
import { RegistryWriter } from '../../lambda/registry/registry-writer';
import { RegistryWriterClient } from '../../lambda/registry/registry-writer.client';
import { REGISTRY_ERRORS, REGISTRY_KEYS } from '../../lib/registry/contract';
import { register, versionRecord } from '../fakes/registry';
import { client, deploy, engineCall, eventually, useEngine, type Deployment } from './harness';
import { ModelRegistry } from 'cdk-mlops';

const ROLES = ['reader', 'writer', 'auditor', 'nobody'] as const;
type Role = (typeof ROLES)[number];

interface Session {
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
  readonly SessionToken: string;
}

const by = { actor: 'arn:aws:sts::000000000000:assumed-role/DataScience/ana', reason: 'because' };

describe('the registry as it is deployed: its tables, the function that writes them, and the locked copies', () => {
  let deployment: Deployment;
  let outputs: Readonly<Record<string, string>>;
  let registry: ModelRegistryClient;
  let copies: HistoryCopiesClient;
  const db = createDocumentClient(client(DynamoDBClient));

  beforeAll(async () => {
    deployment = await deploy((app: App) => {
      const stack = new Stack(app, 'RegistryAlone');
      const made = new ModelRegistry(stack, 'Registry', { historyLock: Duration.days(1), removalPolicy: RemovalPolicy.DESTROY });
      const tell = (name: string, value: string) => new CfnOutput(stack, name, { value });
      tell('registry', made.registryTableName);
      tell('history', made.historyTableName);
      tell('writer', made.writerFunctionName);
      tell('copies', made.lockedCopies!.bucketName);
      const role = (id: Role): iam.Role => {
        const one = new iam.Role(stack, `Role of ${id}`, { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
        tell(`${id}Role`, one.roleArn);
        return one;
      };
      made.grantRead(role('reader'));
      made.grantReadWrite(role('writer'));
      made.grantAudit(role('auditor'));
      role('nobody');
    });
    outputs = deployment.outputs.RegistryAlone;
    const writes = new RegistryWriterClient(outputs.writer, client(LambdaClient));
    registry = new ModelRegistryClient(outputs.registry, outputs.history, db, writes);
    copies = new HistoryCopiesClient(outputs.copies, new S3Files(client(S3Client)));
  }, 180_000);
  afterAll(async () => deployment?.destroy());

  test('changes go through the function, whose refusals keep their names', async () => {
    await register(registry, 'Bikes', versionRecord('run-1'));
    expect(await registry.transition('Bikes', 1, 'Approved', by)).toMatchObject({ state: 'Approved', tags: {}, aliases: [] });
    expect(await registry.promote('Bikes', 1, by)).toMatchObject({ champion: { version: 1, aliases: ['champion'] } });
    expect(await registry.champion('Bikes')).toMatchObject({ version: 1, state: 'Production' });
    await expect(registry.setAlias('Bikes', 'champion', 1, by)).rejects.toMatchObject({ name: REGISTRY_ERRORS.forbidden });
    await expect(registry.createModel({ name: 'Bikes' }, by)).rejects.toMatchObject({
      name: REGISTRY_ERRORS.exists,
      message: 'Registered Model (name=Bikes) already exists.',
    });
    await expect(registry.deleteModel('Other', by)).rejects.toMatchObject({ name: REGISTRY_ERRORS.notFound });
    await expect(registry.transition('Bikes', 1, 'Nowhere' as never, by)).rejects.toMatchObject({ name: REGISTRY_ERRORS.invalid });
    await expect(registry.promote('Bikes', 1.5, by)).rejects.toMatchObject({ name: REGISTRY_ERRORS.invalid });
  });

  test('several callers at once get numbers without gap or double', async () => {
    await registry.createModel({ name: 'Busy' }, by);
    const made = await Promise.all(Array.from({ length: 8 }, () => registry.createVersion('Busy', { source: 's3://x' }, by)));
    expect(made.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await registry.verifyHistory('Busy')).toEqual({ intact: true, entries: 9 });
  });

  test('every entry is copied to where it cannot be deleted', async () => {
    const verdict = await eventually('the copies', async () => {
      const now = await registry.verifyHistory('Bikes', copies);
      return now.uncopied === undefined ? now : undefined;
    });
    expect(verdict).toEqual({ intact: true, entries: 4 });
    const s3 = client(S3Client);
    const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: outputs.copies }));
    expect(Versions.length).toBeGreaterThanOrEqual(13);
    const { Key, VersionId } = Versions[0];
    await expect(s3.send(new DeleteObjectCommand({ Bucket: outputs.copies, Key, VersionId }))).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  test('an entry that was written anew shows, also to who reads the copies alone', async () => {
    const { modelId } = await registry.getModel('Bikes');
    await db.send(
      new UpdateCommand({
        TableName: outputs.history,
        Key: { pk: modelId, sk: REGISTRY_KEYS.sequence(3) },
        UpdateExpression: 'SET actor = :other',
        ExpressionAttributeValues: { ':other': 'eve' },
      }),
    );
    expect(await registry.verifyHistory('Bikes', copies)).toEqual({ intact: false, entries: 2, problem: 'entry 3 was changed after it was written' });
    const told = async (): Promise<string[]> => {
      const actors: string[] = [];
      for await (const { sequence, actor } of copies.entries(modelId)) if (sequence === 3) actors.push(actor);
      return actors;
    };
    await eventually('the copy of what was written anew', async () => ((await told()).length === 2 ? true : undefined));
    expect(await told()).toEqual(expect.arrayContaining([by.actor, 'eve']));
  });

  describe('who may', () => {
    const TABLE: readonly (readonly [what: string, allowed: readonly Role[], act: (as: Access) => Promise<unknown>])[] = [
      ['read what serves', ['reader', 'writer', 'auditor'], ({ registry: one }) => one.champion('Busy')],
      ['read versions', ['reader', 'writer', 'auditor'], ({ registry: one }) => one.listVersions('Busy')],
      ['find versions by their artifact', ['reader', 'writer', 'auditor'], ({ registry: one }) => one.byDigest('a'.repeat(64))],
      ['find versions by a tag', ['reader', 'writer', 'auditor'], ({ registry: one }) => one.byTag('a', 'b')],
      ['check the history', ['reader', 'writer', 'auditor'], ({ registry: one }) => one.verifyHistory('Busy')],
      ['check it against the copies', ['auditor'], ({ registry: one, copies: locked }) => one.verifyHistory('Busy', locked)],
      ['change by the writer', ['writer'], ({ registry: one }) => one.setModelTag('Busy', 'a', String(Math.random()), by)],
      ['change the registry directly', [], ({ direct }) => direct.setModelTag('Busy', 'a', String(Math.random()), by)],
      ['add to the history', [], ({ db: own }) => own.send(new PutCommand({ TableName: outputs.history, Item: { pk: 'x', sk: 'x' } }))],
      ['change the history', [], ({ db: own }) => own.send(new DeleteCommand({ TableName: outputs.history, Key: { pk: 'x', sk: 'x' } }))],
      ['read all of it', [], ({ db: own }) => own.send(new ScanCommand({ TableName: outputs.history }))],
      ['write a copy', [], ({ files }) => files.putText(`s3://${outputs.copies}/history/x`, 'x')],
    ];

    interface Access {
      readonly registry: ModelRegistryClient;
      readonly direct: RegistryWriter;
      readonly copies: HistoryCopiesClient;
      readonly db: DynamoDBDocumentClient;
      readonly files: S3Files;
    }

    const accessOf = async (role: Role): Promise<Access> => {
      const session = await engineCall<Session>('/_mlops/session', { roleArn: outputs[`${role}Role`], service: 'lambda.amazonaws.com' });
      const { endpoint, region } = useEngine();
      const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken } = session;
      const config = { endpoint, region, credentials: { accessKeyId, secretAccessKey, sessionToken } };
      const own = createDocumentClient(new DynamoDBClient(config));
      const files = new S3Files(new S3Client({ ...config, forcePathStyle: true }));
      const writes = new RegistryWriterClient(outputs.writer, new LambdaClient(config));
      return {
        registry: new ModelRegistryClient(outputs.registry, outputs.history, own, writes),
        direct: new RegistryWriter(outputs.registry, outputs.history, own),
        copies: new HistoryCopiesClient(outputs.copies, files),
        db: own,
        files,
      };
    };

    describe.each(ROLES)('as %s', (role) => {
      test.each(TABLE)('%s', async (_, allowed, act) => {
        const refused = await act(await accessOf(role)).then(
          () => undefined,
          (error: Error) => error.name,
        );
        expect(refused).toEqual(allowed.includes(role) ? undefined : expect.stringMatching(/AccessDenied/));
      });
    });
  });
});
