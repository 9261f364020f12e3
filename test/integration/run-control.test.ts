import { ListTrainingJobsCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { main } from '../../cli/program';
import { executionHash } from '../../lambda/pipeline/job-names';
import type { RunRecord } from '../../lib/tracking/contract';
import { Faults } from '../../local/faults';
import { fakeIo } from '../cli/fake-io';
import { LINE_HEADER, lineModelApp, lineRows } from './faulty-model/app';
import { client, deploy, type Deployment, eventually, useEngine } from './harness';
import { DeployedModel } from './loop';

describe('runs that a person controls', () => {
  let deployment: Deployment;
  let model: DeployedModel;
  let faults: Faults;

  beforeAll(async () => {
    deployment = await deploy(lineModelApp('Controlled', 'controlled'));
    model = await DeployedModel.find('controlled', 'Line');
    faults = new Faults(useEngine());
    await model.upload('2024/a.csv', [LINE_HEADER, ...lineRows(2000), ''].join('\n'));
    await model.upload('slow/a.csv', [LINE_HEADER, ...lineRows(2000, 'wait'), ''].join('\n'));
  }, 240_000);

  afterAll(async () => {
    await deployment?.destroy();
  }, 180_000);

  const mlops = async (...args: string[]) => {
    const { io, written } = fakeIo();
    const code = await main([...args, '--platform', 'controlled'], io);
    process.exitCode = undefined;
    return { code, ...written };
  };
  const start = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await mlops('runs', 'start', 'Line', '--json', ...args);
    expect([code, err]).toEqual([0, '']);
    return (JSON.parse(out) as { decision: { runId: string } }).decision.runId;
  };
  const lock = async () => (await model.platform.governor.state('Line')).lock?.runId;
  const champion = async () => (await model.platform.registry.champion('Line'))?.version;
  const step = ({ steps }: RunRecord, name: string) => steps.find((one) => one.name === name);
  const under = (runId: string, name: string) =>
    eventually(`step ${name} of ${runId}`, async () => {
      const run = await model.platform.runs.getRun(runId).catch(() => undefined);
      return run && step(run, name)?.status === 'RUNNING' ? run : undefined;
    });
  const jobs = async (executionArn: string) => {
    const query = new ListTrainingJobsCommand({ NameContains: executionHash(executionArn) });
    const { TrainingJobSummaries = [] } = await client(SageMakerClient).send(query);
    return TrainingJobSummaries.map(({ TrainingJobStatus }) => TrainingJobStatus);
  };

  let failed: string;

  test('a training that fails is told with step, cause, logs and the command that goes on', async () => {
    // Sooner than the training can end, which takes a second; once, so that no rule is left for the redrive.
    const effect = { kind: 'fail', afterSeconds: 0.2 } as const;
    await faults.add({ on: 'sagemaker', operation: 'CreateTrainingJob', nameContains: 'controlled-line', effect });
    failed = await start('--data', '2024/', '--data-commit', 'c0ffee', '--param', 'depth=3');
    const training = await under(failed, 'train');
    expect(await lock()).toBe(failed);
    expect(training.startedBy).toMatch(/^arn:aws:/);
    const watched = await mlops('runs', 'watch', failed);
    expect(watched.code).toBe(1);
    expect(watched.out).toMatch(/^\S+ {2}prepare-data {2}FINISHED after/m);
    expect(watched.out).toContain(`go on from there: mlops runs resume ${failed}`);
    expect(await model.ended(failed)).toMatchObject({ status: 'FAILED', error: { step: 'Train', job: expect.stringContaining('-0-0-t') } });
    const { out } = await mlops('runs', 'show', failed);
    expect(out).toMatch(/failed at +train\n/);
    expect(out).toMatch(/error +States\.TaskFailed: .+\n/);
    expect(out).toMatch(/logs +\/aws\/sagemaker\/TrainingJobs controlled-line-[0-9a-f]{11}0-0-0-t\/\n/);
    expect(out).toMatch(/logs page +https:\/\/.*console\.aws\.amazon\.com\/cloudwatch/);
    expect(out).toContain(`mlops runs resume ${failed}`);
    await eventually('the lock', async () => ((await lock()) === undefined ? true : undefined));
  }, 120_000);

  test('goes on where it failed, with the lock of its model, and is promoted', async () => {
    const before = step(await model.platform.runs.getRun(failed), 'prepare-data');
    const { code, out } = await mlops('runs', 'resume', failed, '--watch');
    expect([code, out]).toEqual([0, expect.stringContaining(`run ${failed} goes on: repeats train, keeps prepare-data`)]);
    expect(out).toContain('promoted');
    const run = await eventually('the end on record', async () => {
      const found = await model.platform.runs.getRun(failed);
      return found.outcome === 'promoted' && found.billed ? found : undefined;
    });
    expect(run).toMatchObject({ status: 'FINISHED', version: 1, params: { 'depth': '3', 'data.prefix': '2024/', 'data.commit': 'c0ffee' } });
    expect(run.error).toBeUndefined();
    expect(step(run, 'prepare-data')).toEqual(before);
    expect(run.billed).toEqual([{ instanceType: 'ml.m5.large', seconds: expect.any(Number) }]);
    expect(run.costUsd).toBeCloseTo((run.billed![0].seconds / 3600) * 0.36, 5);
    await eventually('the lock', async () => ((await lock()) === undefined ? true : undefined));
  }, 180_000);

  test('one that is stopped leaves no job running and what serves as it was; another is refused until then', async () => {
    const runId = await start('--data', 'slow/');
    const { executionArn } = await under(runId, 'train');
    await eventually('the job', async () => ((await jobs(executionArn)).includes('InProgress') ? true : undefined));
    const watched = mlops('runs', 'watch', runId);
    // The history knows no end of the job yet.
    const soFar = await eventually('a cost so far', async () => {
      const { out } = await mlops('runs', 'show', runId, '--json');
      return (JSON.parse(out) as RunRecord).costUsd || undefined;
    });
    const refused = await mlops('runs', 'start', 'Line', '--param', 'depth=4');
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining(`refused-running: run ${runId} is under way`)]);
    const other = await mlops('runs', 'resume', failed);
    expect([other.code, other.err]).toEqual([1, expect.stringContaining('has ended well')]);
    expect(await mlops('runs', 'stop', runId, '--reason', 'wrong month')).toMatchObject({ code: 0 });
    expect((await watched).out).toMatch(/train {2}FAILED after [^]*ABORTED: run .* ended at step train/);
    await eventually('the end of the job', async () => ((await jobs(executionArn)).includes('InProgress') ? undefined : true));
    const error = { step: 'Train', name: 'StoppedByHand', message: expect.stringMatching(/^stopped by arn:aws:.*: wrong month$/) };
    const { billed, ...run } = await model.ended(runId);
    expect(run).toMatchObject({ status: 'KILLED', error });
    expect(billed).toEqual([{ instanceType: 'ml.m5.large', seconds: expect.any(Number) }]);
    expect(run.costUsd).toBeGreaterThanOrEqual(soFar);
    expect(run.costUsd).toBeCloseTo((billed![0].seconds / 3600) * 0.36, 5);
    expect((await mlops('runs', 'show', runId)).out).toMatch(/^cost +\$0\.0\d+ so far$/m);
    expect(await champion()).toBe(1);
    await eventually('the lock', async () => ((await lock()) === undefined ? true : undefined));
  }, 180_000);

  test('data that are not there are named with what is', async () => {
    const runId = await start('--data', '2025/');
    const { error } = await model.ended(runId);
    const message = expect.stringMatching(/datasets\/Line\/2025\/: there is no data; .*2024\/, slow\//);
    expect(error).toMatchObject({ step: 'PrepareData', name: 'DataInvalid', message });
    expect(error?.logs?.group).toContain('controlled-line');
  }, 120_000);
});
