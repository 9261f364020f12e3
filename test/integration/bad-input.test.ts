import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DeleteObjectsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { ListTrainingJobsCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { S3Files } from '../../lambda/common/s3.client';
import { datasetPrefix, quarantinePrefix } from '../../lib/artifacts/contract';
import type { RecordedAnswer } from '../../lib/serving/contract';
import { LINE_HEADER, lineModelApp, lineRows } from './faulty-model/app';
import { client, deploy, type Deployment } from './harness';
import { DeployedModel } from './loop';

const file = (...lines: string[]): string => `${lines.join('\n')}\n`;

const good = lineRows(400);
const wordy = lineRows(600).map((row) => `${row} bikes`);

describe('bad input ends a run with a message that names the place, and harms nothing else', () => {
  let deployment: Deployment;
  let model: DeployedModel;
  let attempt = 0;

  beforeAll(async () => {
    deployment = await deploy(lineModelApp('Faulty', 'faulty'));
    model = await DeployedModel.find('faulty', 'Line');
  }, 180_000);

  afterAll(() => deployment?.destroy(), 120_000);

  /** A run on just these files. */
  const trainOn = async (files: Record<string, string>) => {
    const s3 = client(S3Client);
    const where = { Bucket: model.platform.resources.dataBucket, Prefix: datasetPrefix('Line') };
    const { Contents: old = [] } = await s3.send(new ListObjectsV2Command(where));
    if (old.length > 0) await s3.send(new DeleteObjectsCommand({ Bucket: where.Bucket, Delete: { Objects: old.map(({ Key }) => ({ Key })) } }));
    for (const [name, text] of Object.entries(files)) await model.upload(name, text);
    attempt += 1;
    return model.train(`attempt ${attempt}`, new Date(Date.UTC(2024, 6, attempt)).toISOString());
  };

  test.each([
    ['no file at all', {}, /datasets\/Line\//],
    ['an empty file', { 'a.csv': '' }, /a\.csv.*empty/i],
    ['no target column', { 'a.csv': file('timestamp,x,mode', '2024-01-01T00:00:00Z,1,ok') }, /target.*"?y"?/i],
    ['a target that is no number', { 'a.csv': file(LINE_HEADER, ...wordy) }, /a\.csv.*row 2.*'y'.*not a number/s],
    ['a header that changed', { 'a.csv': file(LINE_HEADER, ...good), 'b.csv': file('timestamp,x,kind,y', ...lineRows(10)) }, /b\.csv.*(mode|kind)/s],
  ])('%s is refused before any training', async (_, files, message) => {
    const run = await trainOn(files as Record<string, string>);
    expect(run).toMatchObject({ status: 'FAILED', error: { name: 'DataInvalid' } });
    expect(run.error?.message).toMatch(message);
    const { TrainingJobSummaries: jobs = [] } = await client(SageMakerClient).send(new ListTrainingJobsCommand({ NameContains: 'faulty-line' }));
    expect(jobs).toEqual([]);
  }, 60_000);

  test('one malformed row among good ones is quarantined with its number, and the run goes on', async () => {
    const run = await trainOn({ 'a.csv': file(LINE_HEADER, ...lineRows(600), '2024-02-01T00:00:00Z,1') });
    expect(run).toMatchObject({ status: 'FINISHED', outcome: 'promoted', version: 1 });
    const kept: string[] = [];
    const files = new S3Files();
    for await (const object of files.list(`s3://${model.platform.resources.dataBucket}/${quarantinePrefix('Line', run.runId)}`)) {
      kept.push(await files.readText(object.uri));
    }
    expect(kept.join('\n')).toMatch(/60[12]/);
  }, 90_000);

  test('a request with the wrong number of columns gets the status and the sentence of the model', async () => {
    const answer = await client(LambdaClient).send(
      new InvokeCommand({
        FunctionName: model.resources.recorderFunction,
        Payload: Buffer.from(JSON.stringify({ body: '2024-01-01T00:00:00Z,1\n', contentType: 'text/csv' })),
      }),
    );
    const recorded = JSON.parse(Buffer.from(answer.Payload ?? []).toString()) as RecordedAnswer;
    expect(recorded.statusCode).toBe(400);
    expect(recorded.body).toContain('a row has 2 columns, the model takes 3: timestamp,x,mode');
  }, 30_000);

  test('a training script that exits 1 fails the run with its last words, and the champion goes on serving', async () => {
    const run = await trainOn({ 'a.csv': file(LINE_HEADER, ...lineRows(600, 'exit')) });
    expect(run).toMatchObject({ status: 'FAILED', error: { step: 'Train' } });
    expect(run.error?.message).toContain('the solver did not converge');
    expect((await model.platform.registry.champion('Line'))?.version).toBe(1);
  }, 60_000);

  test('a model that fails its ping ends the run with the reason, and the champion goes on serving', async () => {
    const run = await trainOn({ 'a.csv': file(LINE_HEADER, ...lineRows(600, 'unloadable')) });
    expect(run.status).toBe('FAILED');
    expect(run.error?.message).toMatch(/ping|cannot be loaded/i);
    expect((await model.platform.registry.champion('Line'))?.version).toBe(1);
  }, 90_000);
});
