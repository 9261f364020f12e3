import { Bench, type Description, IMAGE, ROLE, trainingRequest } from './support';

jest.setTimeout(60_000);

/** The best is level = 3; three values are written, and a job that is told so takes its time. */
const SCRIPT = `
import argparse, os, sys, time
parser = argparse.ArgumentParser()
parser.add_argument('--level', type=float)
parser.add_argument('--target', type=str)
parser.add_argument('--slow', type=float, default=0)
parser.add_argument('--rounds', type=int)
arguments = parser.parse_args()
if arguments.level < 0:
    raise ValueError('level is negative')
for step in (3, 2, 1):
    print('loss=%.4f;' % (abs(arguments.level - 3) * step), flush=True)
    time.sleep(arguments.slow)
open(os.path.join(os.environ['SM_MODEL_DIR'], 'x'), 'w').write(str(arguments.level))
`;

describe('tuning jobs', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.start();
    bench.code('tune', { 'train.py': SCRIPT });
    bench.engine.put('data/train/rows.csv', 'a\n1\n');
  });
  afterAll(() => bench.stop());

  const request = (name: string, values: string[], changes: object = {}, fixed: Record<string, string> = {}, definition: object = {}) => {
    const { HyperParameters, InputDataConfig, OutputDataConfig, ResourceConfig, StoppingCondition } = trainingRequest(name);
    return {
      HyperParameterTuningJobName: name,
      HyperParameterTuningJobConfig: {
        Strategy: 'Grid',
        HyperParameterTuningJobObjective: { Type: 'Minimize', MetricName: 'loss' },
        ResourceLimits: { MaxParallelTrainingJobs: 2 },
        ParameterRanges: { CategoricalParameterRanges: [{ Name: 'level', Values: values }] },
        ...changes,
      },
      TrainingJobDefinition: {
        StaticHyperParameters: { ...HyperParameters, sagemaker_submit_directory: 's3://code/tune.tar.gz', ...fixed },
        AlgorithmSpecification: {
          TrainingImage: IMAGE,
          TrainingInputMode: 'File',
          MetricDefinitions: [{ Name: 'loss', Regex: 'loss=([0-9.]+);' }],
        },
        RoleArn: ROLE,
        InputDataConfig,
        OutputDataConfig,
        ResourceConfig,
        StoppingCondition,
        ...definition,
      },
      Tags: [{ Key: 'team', Value: 'bikes' }],
    };
  };
  const ended = (HyperParameterTuningJobName: string) =>
    bench.until('DescribeHyperParameterTuningJob', { HyperParameterTuningJobName }, 'HyperParameterTuningJobStatus', ['InProgress', 'Stopping']);
  const children = async (HyperParameterTuningJobName: string, more: object = {}) => {
    const asked = { HyperParameterTuningJobName, ...more };
    return (await bench.call<{ TrainingJobSummaries: Description[] }>('ListTrainingJobsForHyperParameterTuningJob', asked)).TrainingJobSummaries;
  };
  const value = (child: Description) => (child.FinalHyperParameterTuningJobObjectiveMetric as Description).Value;

  test('runs real training jobs, finds the best by the last value of the log, and names the children as the service does', async () => {
    await bench.call('CreateHyperParameterTuningJob', request('grid', ['5', '3.5', '1']));
    const job = await ended('grid');
    expect(job).toMatchObject({
      HyperParameterTuningJobStatus: 'Completed',
      TrainingJobStatusCounters: { Completed: 3, InProgress: 0, NonRetryableError: 0, Stopped: 0 },
      ObjectiveStatusCounters: { Succeeded: 3, Pending: 0, Failed: 0 },
      BestTrainingJob: {
        TunedHyperParameters: { level: '3.5' },
        FinalHyperParameterTuningJobObjectiveMetric: { MetricName: 'loss', Type: 'Minimize', Value: 0.5 },
        TrainingJobName: expect.stringMatching(/^grid-00[1-3]-[0-9a-f]{8}$/),
      },
    });
    const sorted = await children('grid', { SortBy: 'FinalObjectiveMetricValue', SortOrder: 'Ascending' });
    expect(sorted.map(value)).toEqual([0.5, 2, 2]);
    const { TrainingJobName } = job.BestTrainingJob as { TrainingJobName: string };
    const best = await bench.call('DescribeTrainingJob', { TrainingJobName });
    expect(best).toMatchObject({
      TuningJobArn: job.HyperParameterTuningJobArn,
      HyperParameters: { level: '3.5', _tuning_objective_metric: 'loss' },
      ModelArtifacts: { S3ModelArtifacts: `s3://artifacts/models/${TrainingJobName}/output/model.tar.gz` },
    });
    const told = await bench.told('HyperParameter Tuning Job', 2);
    expect(told.map(({ HyperParameterTuningJobStatus }) => HyperParameterTuningJobStatus)).toEqual(['InProgress', 'Completed']);
    const list = await bench.call<Description>('ListHyperParameterTuningJobs', { NameContains: 'gri' });
    expect(list.HyperParameterTuningJobSummaries).toMatchObject([{ HyperParameterTuningJobName: 'grid', Strategy: 'Grid' }]);
    expect(await bench.call('ListTags', { ResourceArn: best.TrainingJobArn })).toEqual({ Tags: [{ Key: 'team', Value: 'bikes' }] });
  });

  test('ends early: at its target, when it is stopped, and for single jobs that cannot win', async () => {
    const criteria = { TuningJobCompletionCriteria: { TargetObjectiveMetricValue: 0.2 }, ResourceLimits: { MaxParallelTrainingJobs: 1 } };
    await bench.call('CreateHyperParameterTuningJob', request('target', ['3.1', '9', '8', '7'], criteria));
    expect(await ended('target')).toMatchObject({ HyperParameterTuningJobStatus: 'Completed', TrainingJobStatusCounters: { Completed: 1 } });

    const median = { TrainingJobEarlyStoppingType: 'Auto', ResourceLimits: { MaxParallelTrainingJobs: 1 } };
    await bench.call('CreateHyperParameterTuningJob', request('early', ['3.1', '50'], median, { slow: '0.2' }));
    expect(await ended('early')).toMatchObject({
      TrainingJobStatusCounters: { Completed: 1, Stopped: 1 },
      BestTrainingJob: { TunedHyperParameters: { level: '3.1' } },
    });

    await bench.call('CreateHyperParameterTuningJob', request('stopped', ['1', '2', '3'], {}, { slow: '30' }));
    while ((await children('stopped')).length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    await bench.call('StopHyperParameterTuningJob', { HyperParameterTuningJobName: 'stopped' });
    expect(await ended('stopped')).toMatchObject({ HyperParameterTuningJobStatus: 'Stopped', TrainingJobStatusCounters: { InProgress: 0 } });
    expect((await children('stopped')).map(({ TrainingJobStatus }) => TrainingJobStatus)).toEqual(['Stopped', 'Stopped']);
  });

  test('goes on when single jobs fail, and fails when all of them do', async () => {
    await bench.call('CreateHyperParameterTuningJob', request('some', ['-1', '2']));
    expect(await ended('some')).toMatchObject({
      HyperParameterTuningJobStatus: 'Completed',
      TrainingJobStatusCounters: { Completed: 1, NonRetryableError: 1 },
      ObjectiveStatusCounters: { Succeeded: 1, Failed: 1 },
    });
    await bench.call('CreateHyperParameterTuningJob', request('none', ['-1', '-2']));
    expect(await ended('none')).toMatchObject({
      HyperParameterTuningJobStatus: 'Failed',
      FailureReason: expect.stringContaining('All training jobs failed'),
    });
    await bench.faulty('CreateHyperParameterTuningJob', request('timed', ['1', '2'], {}, { slow: '30' }), 'timeout', 0.5);
    expect(await ended('timed')).toMatchObject({ HyperParameterTuningJobStatus: 'Stopped' });
  });

  test('refuses what the service refuses', async () => {
    const message = async (body: object) => (await bench.refused('CreateHyperParameterTuningJob', body)).message;
    expect(await message(request('a-name-of-more-than-thirty-two-char', ['1']))).toContain('less than or equal to 32');
    const objective = { HyperParameterTuningJobObjective: { Type: 'Minimize', MetricName: 'other' } };
    expect(await message(request('m', ['1'], objective))).toContain('must be one of MetricDefinitions: loss');
    expect((await bench.refused('DescribeHyperParameterTuningJob', { HyperParameterTuningJobName: 'unknown' })).__type).toBe('ResourceNotFound');
    expect((await bench.refused('CreateHyperParameterTuningJob', request('grid', ['1']))).__type).toBe('ResourceInUse');
  });
});
