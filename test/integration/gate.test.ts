import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { type App, Duration, Size, Stack } from 'aws-cdk-lib';
import { S3Files } from '../../lambda/common/s3.client';
import type { Baseline } from '../../lambda/monitoring/baseline/types';
import type { GateReport, RuleName } from '../../lambda/pipeline/gate/types';
import type { DataManifest } from '../../lib/artifacts/contract';
import { LINE_HEADER } from './faulty-model/app';
import { deploy, type Deployment, projectRoot } from './harness';
import { DeployedModel } from './loop';
import { Approval, Framework, Gate, MlOpsPlatform, Monitoring, Retraining, Serving, Task, Training, Trigger } from 'cdk-mlops';

/** A gate that asks for everything there is. */
const gatedApp = (app: App): void => {
  const platform = new MlOpsPlatform(new Stack(app, 'Gated'), 'MlOps', { platformName: 'gated' });
  platform.addModel('Line', {
    task: Task.regression({ target: 'y', timeColumn: 'timestamp' }),
    training: Training.script({
      directory: path.join(__dirname, 'faulty-model/training'),
      entryPoint: 'train.py',
      framework: Framework.scikitLearn('1.4-2'),
    }),
    gate: Gate.beatsChampion({
      metric: 'rmse',
      bounds: [{ metric: 'mae', worseThan: 20 }],
      groups: [{ column: 'mode', metric: 'rmse', worseThan: 25, minimumRows: 50 }],
      maximumMillisecondsPerRow: 1000,
      maximumModelSize: Size.mebibytes(5),
    }),
    approval: Approval.automatic(),
    serving: Serving.serverless({ memory: Size.gibibytes(1), maxConcurrency: 2 }),
    monitoring: Monitoring.every(Duration.days(7), { minimumRows: 100 }),
    retraining: Retraining.on([Trigger.quality({ metric: 'rmse', worseThan: 10 })], { cooldown: Duration.days(7) }),
  });
};

/** Hourly rows y = slope · x + 1, up and down by three in turn; two modes, day by day. */
const rows = (fromDay: number, days: number, slope: number): string =>
  Array.from({ length: days * 24 }, (_, index) => {
    const hour = fromDay * 24 + index;
    const value = slope * (hour % 24) + 1 + ((hour * 7919) % 13) / 2 - 3;
    return `${new Date(Date.UTC(2024, 0, 1, hour)).toISOString()},${hour % 24},${Math.floor(hour / 24) % 2 ? 'odd' : 'even'},${value}\n`;
  }).join('');

const valid = addFormats(new Ajv2020({ strict: false })).compile(
  JSON.parse(readFileSync(path.join(projectRoot, 'docs/schemas/gate-report.schema.json'), 'utf8')) as object,
);

describe('the gate on the engine', () => {
  let deployment: Deployment;
  let model: DeployedModel;
  const files = new S3Files();

  beforeAll(async () => {
    deployment = await deploy(gatedApp);
    model = await DeployedModel.find('gated', 'Line');
  }, 180_000);

  afterAll(() => deployment?.destroy(), 120_000);

  const reportOf = async (version: number): Promise<GateReport> => {
    const { gate } = await model.platform.registry.getVersion('Line', version);
    const report = await new S3Files().readJson<GateReport>(gate!.reportUri);
    expect({ valid: valid(report), errors: valid.errors }).toEqual({ valid: true, errors: null });
    expect(await new S3Files().readText(gate!.reportUri.replace(/json$/, 'html'))).toContain('<h1>Line: the candidate');
    return report;
  };
  const verdicts = ({ rules }: GateReport): [RuleName, string][] => rules.map(({ rule, verdict }) => [rule, verdict]);

  test('the first version is judged by all that needs no champion, with the times that SageMaker tells and the size of what it made', async () => {
    await model.upload('a.csv', `${LINE_HEADER}\n${rows(0, 60, 2)}`);
    const run = await model.train('first', '2024-03-01T00:00:00Z');
    expect(run).toMatchObject({ status: 'FINISHED', outcome: 'promoted', version: 1 });
    const report = await reportOf(1);
    expect(verdicts(report)).toEqual([
      ['first-version', 'passed'],
      ['bound', 'passed'],
      ['group', 'passed'],
      ['time-per-row', 'passed'],
      ['model-size', 'passed'],
      ['time-order', 'passed'],
      ['duplicates-candidate', 'passed'],
    ]);
    expect(report.scoringMilliseconds).toBeGreaterThan(0);
    expect(report.modelBytes).toBeGreaterThan(100);
    expect(report.leakage.candidate).toMatchObject({ status: 'checked', trainRows: 46 * 24, sharedRows: 0, rowsInTrainingPeriod: 0 });
    const { dataManifestUri } = await model.platform.registry.getVersion('Line', 1);
    const { rowKeys } = await files.readJson<DataManifest>(dataManifestUri!);
    expect((await files.readBytes(rowKeys!.uri)).length).toBe(16 + 8 * 46 * 24);
  }, 120_000);

  test('a later one is compared with the champion on the same days, and both with their training rows', async () => {
    // The world has changed: what the first version knows is of no use any more.
    await model.upload('b.csv', `${LINE_HEADER}\n${rows(60, 60, 3)}`);
    const run = await model.train('the world changed', '2024-05-01T00:00:00Z');
    expect(run).toMatchObject({ status: 'FINISHED', outcome: 'promoted', version: 2 });
    const report = await reportOf(2);
    expect(report.rules[0]).toMatchObject({ rule: 'beats-champion', verdict: 'passed', interval: { method: 'student', blocks: 14 } });
    expect(report.championVersion).toBe(1);
    expect(report.leakage.champion).toMatchObject({ status: 'checked', trainRows: 46 * 24, sharedRows: 0 });
    expect(Object.keys((await model.platform.registry.getVersion('Line', 2)).metrics ?? {})).toContain('rmse/mode:odd');
  }, 120_000);

  test('the job that scores the holdout tells what the candidate rests on; the champion scores the holdout alone', async () => {
    const [report, version] = [await reportOf(2), await model.platform.registry.getVersion('Line', 2)];
    expect(report).toMatchObject({ missing: [], permutedRows: 14 * 24 * 3 * 5, importance: { metric: 'rmse', rows: 14 * 24, repeats: 5 } });
    const [first, ...others] = report.importance!.features;
    expect(first).toMatchObject({ name: 'x', mean: expect.any(Number), standardDeviation: expect.any(Number) });
    // y is three times the hour, whose values are shuffled; nothing else is looked at.
    expect(first.mean).toBeGreaterThan(15);
    expect(others.map(({ name, mean }) => [name, mean])).toEqual([['mode', 0], ['timestamp', 0]]);
    expect(await files.readText(version.gate!.reportUri.replace(/json$/, 'html'))).toContain('<h2 id="importance">Importance of features</h2>');

    const scores = `${version.dataManifestUri!.replace(/[^/]+$/, '')}scores/`;
    const left: string[] = [];
    for await (const { uri } of files.list(scores)) left.push(uri.slice(scores.length));
    expect(left.sort()).toEqual(['candidate/holdout-features.csv.out', 'candidate/permuted-rows.csv.out', 'champion/holdout-features.csv.out']);
    expect((await model.platform.runs.getRun(version.runId!)).metrics).toMatchObject({ 'importance/x': first.mean, 'importance/mode': 0 });
    const { features, importanceMethod } = await files.readJson<Baseline>(version.baselineUri!);
    expect(importanceMethod).toBe('permutation');
    expect(features.find(({ name }) => name === 'x')?.importance).toBe(1);
  });

  test('a champion that was trained on the rows of the holdout refuses the comparison', async () => {
    // The newest days are those of the first version's training again.
    await model.upload('b.csv', `${LINE_HEADER}\n${rows(60, 1, 3)}`);
    const run = await model.train('a step back', '2024-06-01T00:00:00Z');
    expect(run).toMatchObject({ status: 'FINISHED', outcome: 'rejected', version: 3 });
    const report = await reportOf(3);
    expect(verdicts(report)).toContainEqual(['duplicates-champion', 'failed']);
    expect((await model.platform.registry.champion('Line'))?.version).toBe(2);
  }, 120_000);
});
