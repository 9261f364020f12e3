import { createHash } from 'node:crypto';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { ModelRegistryClient } from '../../../lambda/registry/model-registry.client';
import { RunTrackerClient } from '../../../lambda/tracking/run-tracker.client';
import { RunsClient } from '../../../lambda/tracking/runs.client';
import type { EvaluationResult, PipelineSpec, PreparedData } from '../../../lib/pipeline/contract';
import type { ReleaseStatus } from '../../../lib/serving/contract';
import { MemoryDynamo } from '../../fakes/memory-dynamo';
import { MemoryBucket } from '../../fakes/memory-s3';
import { MemorySageMaker } from '../../fakes/memory-sagemaker';
import { installWriter } from '../../fakes/registry';
import { MemoryEvents } from '../../fakes/sdk';
import { tarball } from '../../fakes/tarball';
import { GATE } from './gate-samples';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

const MODEL = 'Demand';
const CODE = tarball([{ path: 'train.py', text: 'print(1)\n' }, { path: 'requirements.txt', text: '# pinned\nholidays==0.50\n' }]);
const ENDPOINT = 'mlops-demand';
const TASK = { kind: 'REGRESSION', target: 'cnt', timeColumn: 'timestamp' } as const;
const SPEC: PipelineSpec = {
  model: MODEL,
  task: TASK,
  holdout: { days: 2 },
  gate: { ...GATE, maximumModelBytes: 1024 ** 2, maximumMillisecondsPerRow: 1000 },
  training: {
    image: 'xgboost:3.0-5',
    entryPoint: 'train.py',
    instanceType: 'ml.m5.large',
    codeUri: 's3://assets/code.tar.gz',
    codeSha256: sha256(CODE),
  },
  hyperparameters: { rounds: '10' },
  commit: 'abc',
  dirty: false,
  minimumTrainingRows: 10,
  jobNamePrefix: ENDPOINT,
};

Object.assign(process.env, {
  AWS_REGION: 'eu-west-1',
  MLOPS_PLATFORM: 'mlops',
  MLOPS_BUS_NAME: 'bus',
  MLOPS_REGISTRY_TABLE: 'registry',
  MLOPS_HISTORY_TABLE: 'history',
  MLOPS_RUNS_TABLE: 'runs',
  MLOPS_DATA_BUCKET: 'data',
  MLOPS_ARTIFACTS_BUCKET: 'artifacts',
  MLOPS_REPORTS_BUCKET: 'reports',
  MLOPS_PIPELINE_SPEC: JSON.stringify(SPEC),
  MLOPS_INSTANCE_PRICES: JSON.stringify({ 'ml.m5.large': 0.115 }),
  MLOPS_MONITOR_SPEC: JSON.stringify({
    model: MODEL,
    task: TASK,
    endpointName: ENDPOINT,
    variantName: 'primary',
    windowSeconds: 86_400,
    minimumRows: 100,
    references: [{ kind: 'TRAINING' }],
    falseAlarms: { episodes: 1, days: 90, shares: { drift: 0.5, quality: 0.25, groups: 0.25 } },
    persistence: { breaches: 2, windows: 3 },
    groupColumns: [],
  }),
  MLOPS_SERVING_SPEC: JSON.stringify({
    model: MODEL,
    endpointName: ENDPOINT,
    kind: 'SERVERLESS',
    memorySizeInMb: 2048,
    maxConcurrency: 5,
    captureSamplingPercentage: 100,
    captureUri: 's3://predictions/capture',
    deployment: { strategy: 'ALL_AT_ONCE', bakeSeconds: 0, maximumErrorShare: 0.05, watchSeconds: 0, smokeRows: 0 },
  }),
});

const dynamo = new MemoryDynamo();
const bucket = new MemoryBucket();
const bus = new MemoryEvents();
const sagemaker = new MemorySageMaker();
const output = jest.spyOn(process.stdout, 'write').mockReturnValue(true);

const registry = new ModelRegistryClient();
const runs = new RunTrackerClient();

type Handler<T = Record<string, unknown>> = (event: unknown) => Promise<T>;

/** The functions of the pipeline, loaded as Lambda loads them: with their environment, once. */
const load = async () => ({
  prepare: (await import('../../../lambda/pipeline/prepare-data.lambda')).handler as Handler<PreparedData>,
  evaluate: (await import('../../../lambda/pipeline/evaluate.lambda')).handler as Handler<EvaluationResult>,
  baseline: (await import('../../../lambda/monitoring/create-baseline.lambda')).handler as Handler<{ baselineUri: string }>,
  register: (await import('../../../lambda/registry/register-version.lambda')).handler as Handler<{ version: number; state: string }>,
  approve: (await import('../../../lambda/registry/approve-version.lambda')).handler as Handler,
  release: (await import('../../../lambda/serving/release.lambda')).handler as Handler<ReleaseStatus>,
  promote: (await import('../../../lambda/registry/promote-version.lambda')).handler as Handler,
  finish: (await import('../../../lambda/tracking/finish-run.lambda')).handler as Handler,
});
let functions: Awaited<ReturnType<typeof load>>;

beforeAll(async () => {
  dynamo.install();
  bucket.install();
  bus.install();
  installWriter();
  const stub = sagemaker.client();
  jest.spyOn(SageMakerClient.prototype, 'send').mockImplementation(((command: never) => stub.send(command)) as never);
  // No alarm of a release is there.
  jest.spyOn(CloudWatchClient.prototype, 'send').mockImplementation((async () => ({})) as never);
  functions = await load();
  const rows = Array.from({ length: 30 * 24 }, (_, hour) => `${new Date(Date.UTC(2012, 0, 1, hour)).toISOString()},${hour % 24},${hour % 24}`);
  bucket.objects.set('data/datasets/Demand/january.csv', `timestamp,hr,cnt\n${rows.join('\n')}\n`);
  await bucket.files().put('s3://assets/code.tar.gz', CODE);
});
afterAll(() => jest.restoreAllMocks());

/** What the state machine hands from step to step. */
interface State {
  readonly runId: string;
  readonly cause: string;
  readonly prepared: PreparedData;
  readonly trainingJob: object;
  readonly evaluation: EvaluationResult;
  readonly registered: { readonly version: number; readonly state: string };
}

/** Answers of a model that is off by `error`, up and down in turn. */
const scores = (holdout: string, error: number): string =>
  holdout
    .trim()
    .split('\n')
    .slice(1)
    .map((line, row) => `${Number(line.split(',')[2]) + (row % 2 ? error : -error)}\n`)
    .join('');

const modelOf = (runId: string): Buffer => tarball([{ path: 'model.json', text: `{"by":"${runId}"}` }]);

const SCORING = { candidate: { TransformStartTime: 1_767_225_800, TransformEndTime: 1_767_225_806.5 } };

/** Everything up to the decision; jobs leave what SageMaker's would. */
const upToRegistration = async (runId: string, error: number, championError = 0): Promise<State> => {
  const cause = `cause of ${runId}`;
  const common = { model: MODEL, runId, causeId: `id of ${runId}`, cause };
  const executionArn = `arn:aws:states:eu-west-1:111122223333:execution:Demand:${runId}`;
  const prepared = await functions.prepare({
    ...common,
    occurredAt: '2012-02-01T00:00:00Z',
    executionArn,
    startTime: `2026-01-0${runId.at(-1)}T00:00:00Z`,
  });
  const modelUri = `${prepared.modelOutputUri}/job-${runId}/output/model.tar.gz`;
  await bucket.files().put(modelUri, modelOf(runId));
  const holdout = bucket.text(prepared.holdoutUri);
  bucket.objects.set(`${prepared.candidateScoresUri.slice(5)}/holdout-features.csv.out`, scores(holdout, error));
  if (prepared.champion.present) {
    bucket.objects.set(`${prepared.championScoresUri.slice(5)}/holdout-features.csv.out`, scores(holdout, championError));
  }
  const trainingJob = {
    TrainingJobName: `job-${runId}`,
    TrainingJobStatus: 'Completed',
    CreationTime: 1_767_225_600,
    LastModifiedTime: 1_767_225_700,
    ModelArtifacts: { S3ModelArtifacts: modelUri },
    AlgorithmSpecification: { TrainingImage: SPEC.training.image },
    HyperParameters: { rounds: '10' },
  };
  const evaluation = await functions.evaluate({ runId, model: MODEL, prepared, trainingJob, scoring: SCORING });
  const { trainUri, holdoutUri, candidateScoresUri, manifestUri } = prepared;
  const { baselineUri } = await functions.baseline({ runId, trainUri, holdoutUri, candidateScoresUri });
  const registered = await functions.register({
    ...common,
    manifestUri,
    prepared,
    trainingJob,
    sagemakerModelName: `${prepared.jobNameBase}-0-0-m`,
    evaluation,
    baselineUri,
  });
  return { runId, cause, prepared, trainingJob, evaluation, registered };
};

const PLACE = { endpointName: ENDPOINT, predictionsUri: `s3://predictions/capture/${ENDPOINT}/primary/` };

/** From the approval to the end. */
const release = async ({ runId, prepared, evaluation, registered: { version } }: State): Promise<unknown> => {
  const { reason } = evaluation;
  const expectedChampion = prepared.champion.version;
  await functions.approve({ model: MODEL, version, policy: 'automatic', reason });
  const wanted = {
    version,
    sagemakerModelName: `${prepared.jobNameBase}-0-0-m`,
    endpointConfigName: `${ENDPOINT}-v${version}-size`,
    expectedChampion,
    redriveCount: 0,
  };
  const { startedAtRedrive, previousEndpointConfigName } = await functions.release({ ...wanted, action: 'start' });
  const watch = { ...wanted, action: 'check', startedAtRedrive, previousEndpointConfigName };
  expect((await functions.release(watch)).done).toBe(false);
  sagemaker.settle(ENDPOINT);
  expect((await functions.release(watch)).done).toBe(true);
  await functions.promote({ model: MODEL, version, runId, expectedChampion, reason, ...PLACE });
  return functions.finish({ runId, model: MODEL, outcome: 'promoted', version });
};

test('the first run ends with a version that serves, and everything about it is on record', async () => {
  const state = await upToRegistration('run-1', 2);
  expect(state.prepared.champion).toMatchObject({ present: false, version: null });
  expect(state.evaluation).toMatchObject({ passed: true, metrics: { rmse: 2 } });
  expect(state.registered).toEqual({ version: 1, state: 'PendingApproval' });
  expect(await release(state)).toEqual({ outcome: 'promoted', version: 1, runId: 'run-1', model: MODEL });

  const champion = await registry.champion(MODEL);
  expect(champion).toMatchObject({
    version: 1,
    state: 'Production',
    artifact: { versionId: 'v1', sha256: sha256(modelOf('run-1')), bytes: modelOf('run-1').length },
    code: { entryPoint: 'train.py', sha256: SPEC.training.codeSha256, commit: 'abc', dirty: false },
    hyperparameters: { rounds: '10' },
    schema: { columns: [{ name: 'timestamp', type: 'timestamp' }, { name: 'hr', type: 'number' }], target: 'cnt' },
    cause: 'cause of run-1',
  });
  expect(JSON.parse(bucket.text(champion!.gate!.reportUri))).toMatchObject({ model: MODEL, runId: 'run-1', passed: true, championVersion: null });
  expect(JSON.parse(bucket.text(champion!.baselineUri!))).toMatchObject({ model: MODEL, runId: 'run-1', trainRows: 28 * 24 });
  expect(await bucket.files().readBytes(champion!.code!.uri)).toEqual(CODE);
  expect((await registry.history(MODEL)).map(({ action, actor }) => [action, actor])).toEqual([
    ['Created', 'pipeline'],
    ['Registered', 'pipeline'],
    ['Approved', 'policy:automatic'],
    ['Promoted', 'pipeline'],
  ]);

  const run = await runs.getRun('run-1');
  const { datasets } = await new RunsClient().get('run-1');
  expect(datasets).toEqual([expect.objectContaining({ name: 'Demand', digest: run.params['data.id'].slice(0, 36), sourceType: 's3' })]);
  expect(run).toMatchObject({ status: 'FINISHED', outcome: 'promoted', version: 1, metrics: { rmse: 2 } });
  expect(run.params).toMatchObject({ rounds: '10', 'data.trainRows': '672', 'data.holdoutRows': '48', 'data.quarantinedRows': '0' });
  expect(run.params).not.toHaveProperty('data.constraints');
  expect(run.steps.map(({ name, status }) => `${name} ${status}`).sort()).toEqual([
    'baseline FINISHED',
    'evaluate FINISHED',
    'finish FINISHED',
    'prepare-data FINISHED',
    'promote FINISHED',
    'register FINISHED',
    'score FINISHED',
    'train FINISHED',
  ]);
  // By the functions themselves, while the execution's history is not read before its end.
  const step = (name: string) => run.steps.find((found) => found.name === name);
  expect(step('baseline')).toMatchObject({ inputs: { train: state.prepared.trainUri }, outputs: { baseline: champion!.baselineUri } });
  expect(step('finish')).toMatchObject({ outputs: { outcome: 'promoted', version: '1' } });
  expect(run.prices).toEqual({ 'ml.m5.large': 0.115 });
});

test('a worse candidate is kept as rejected with its reason, and what serves stays', async () => {
  const { evaluation, registered, runId } = await upToRegistration('run-2', 5, 2);
  expect(evaluation).toMatchObject({ passed: false, metrics: { rmse: 5 }, championMetrics: { rmse: 2 } });
  expect(registered).toEqual({ version: 2, state: 'Rejected' });
  expect(bus.ofType('Candidate Rejected')).toEqual([expect.objectContaining({ version: 2, runId, reason: evaluation.reason })]);
  expect(await functions.finish({ runId, model: MODEL, outcome: 'rejected', version: 2 })).toMatchObject({ outcome: 'rejected' });
  expect(output.mock.calls.flat().join('\n')).toContain('"CandidateRejected":1');
  expect((await registry.champion(MODEL))?.version).toBe(1);
  const approval = functions.approve({ model: MODEL, version: 2, policy: 'automatic', reason: 'x' });
  await expect(approval).rejects.toMatchObject({ name: 'IllegalTransition' });
});

test('the data of later runs is checked by what the baseline of the serving version suggests, and the run tells so', async () => {
  const { params, steps } = await runs.getRun('run-2');
  expect(params).toMatchObject({ 'data.constraints': 's3://reports/baselines/Demand/run-1/baseline.json', 'data.warnings': '0' });
  const { outputs = {} } = steps.find(({ name }) => name === 'prepare-data')!;
  expect(JSON.parse(bucket.text(outputs.constraints))).toMatchObject({ model: MODEL, columns: { names: ['timestamp', 'hr'] } });
  expect(JSON.parse(bucket.text(outputs.dataQuality))).toMatchObject({ quarantinedRows: 0, violations: [] });
});

test('a better candidate is judged against the version that serves and takes its place', async () => {
  const state = await upToRegistration('run-3', 1, 2);
  expect(state.prepared.champion).toMatchObject({ present: true, version: 1, image: SPEC.training.image, entryPoint: 'train.py' });
  await release(state);
  expect((await registry.champion(MODEL))?.version).toBe(3);
  expect((await registry.getVersion(MODEL, 1)).state).toBe('Archived');
  expect(bus.ofType('Model Version Promoted').map(({ version, previousVersion, runId }) => [version, previousVersion ?? null, runId])).toEqual([
    [1, null, 'run-1'],
    [3, 1, 'run-3'],
  ]);
  expect(sagemaker.endpoints.get(ENDPOINT)).toEqual({ config: 'mlops-demand-v3-size', status: 'InService' });
  expect(await registry.verifyHistory(MODEL)).toEqual({ intact: true, entries: 8 });
});

test('steps that are tried again tell the same and register, promote and record nothing twice', async () => {
  const before = [dynamo.items('registry').length, dynamo.items('history').length];
  const { registered } = await upToRegistration('run-3', 1, 2);
  expect(registered).toEqual({ version: 3, state: 'Production' });
  const again = { model: MODEL, version: 3, runId: 'run-3', expectedChampion: 1, reason: 'x', ...PLACE };
  expect(await functions.promote(again)).toEqual({ version: 3, previousVersion: 1, state: 'Production' });
  await functions.finish({ runId: 'run-3', model: MODEL, outcome: 'promoted', version: 3 });
  expect([dynamo.items('registry').length, dynamo.items('history').length]).toEqual(before);
});

test('a run that was judged against another champion cannot take the place of this one', async () => {
  const late = { version: 2, sagemakerModelName: 'm', endpointConfigName: 'c', redriveCount: 0, action: 'start', expectedChampion: 1 };
  await expect(functions.release(late)).rejects.toMatchObject({ name: 'RegistryConflict' });
  const promote = functions.promote({ model: MODEL, version: 2, runId: 'run-2', expectedChampion: 1, reason: 'x', ...PLACE });
  await expect(promote).rejects.toMatchObject({ name: 'RegistryConflict', message: expect.stringContaining('v3 serves now') });
});

test('data that cannot be used fails the step on record, with file and row', async () => {
  bucket.objects.set('data/datasets/Demand/bad.csv', 'timestamp,hr,cnt\n2012-03-01T00:00:00Z,1,many\n'.concat('x,1,1\n'.repeat(99)));
  const failing = upToRegistration('run-4', 1);
  await expect(failing).rejects.toMatchObject({ name: 'DataInvalid' });
  bucket.objects.delete('data/datasets/Demand/bad.csv');
  const { status, steps } = await runs.getRun('run-4');
  // The end of the execution, not the step, ends the run: the state may be tried again.
  expect(status).toBe('RUNNING');
  expect(steps).toEqual([expect.objectContaining({ name: 'prepare-data', status: 'FAILED', error: expect.stringContaining('bad.csv, row 2') })]);
});

test('a model that the training job named but did not leave is no version', async () => {
  const { prepared, trainingJob, evaluation, cause } = await upToRegistration('run-5', 1, 2);
  const gone = { ...trainingJob, ModelArtifacts: { S3ModelArtifacts: 's3://artifacts/gone/model.tar.gz' } };
  const request = {
    ...{ model: MODEL, runId: 'run-6', causeId: 'c', cause, manifestUri: prepared.manifestUri, prepared, trainingJob: gone },
    ...{ sagemakerModelName: 'm', evaluation, baselineUri: 's3://reports/b.json' },
  };
  await expect(functions.register(request)).rejects.toThrow('named s3://artifacts/gone/model.tar.gz as its model, but nothing is there');
});

test.each<[string, (all: typeof functions) => Promise<unknown>]>([
  ['prepare-data', (all) => all.prepare({ model: MODEL })],
  ['evaluate', (all) => all.evaluate({ runId: 'x', model: MODEL })],
  ['create-baseline', (all) => all.baseline({ runId: 'x', trainUri: 'http://elsewhere' })],
  ['register', (all) => all.register({ runId: 'x', manifestUri: 'file:///etc' })],
  ['approve', (all) => all.approve({ model: MODEL, version: 0, policy: 'automatic', reason: 'x' })],
  ['release', (all) => all.release({ action: 'stop' })],
  ['promote', (all) => all.promote({ model: MODEL, version: '1', reason: 'x' })],
  ['finish', (all) => all.finish({ runId: 'x', model: MODEL, outcome: 'lost' })],
])('%s refuses an input that it cannot read before it writes anything', async (_, call) => {
  const before = JSON.stringify([dynamo.items('registry'), dynamo.items('runs'), bucket.written.length]);
  await expect(call(functions)).rejects.toMatchObject({ name: 'ZodError' });
  expect(JSON.stringify([dynamo.items('registry'), dynamo.items('runs'), bucket.written.length])).toBe(before);
});

test('a pipeline trains its own model only', async () => {
  const start = { runId: 'r', causeId: 'c', cause: 'x', occurredAt: 'x', executionArn: 'arn:x', startTime: '2026-01-01T00:00:00Z' };
  await expect(functions.prepare({ ...start, model: 'Other' })).rejects.toThrow('this pipeline trains Demand, the run was started for Other');
});
