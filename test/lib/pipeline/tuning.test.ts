import { Duration } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Framework } from '../../../lib/pipeline/framework';
import { ParameterRange, RangeScaling } from '../../../lib/pipeline/parameter-range';
import { Training } from '../../../lib/pipeline/training';
import { Tuning } from '../../../lib/pipeline/tuning';
import type { TuningOptions } from '../../../lib/pipeline/tuning-options';
import { metricDefinitions, tunedTraining } from './every-builder';
import { definitionOf, directoryWith, samplePipeline } from './samples';

jest.setTimeout(30_000);

const script = { directory: directoryWith({ 'train.py': '' }), entryPoint: 'train.py', framework: Framework.xgboost('3.0-5'), metricDefinitions };
const depth = ParameterRange.integer('depth', 2, 8);
const base: TuningOptions = { metric: 'holdout:rmse', maximize: false, ranges: [depth] };
const configOf = (tuning: Tuning): Record<string, unknown> => {
  const { stack } = samplePipeline({ training: Training.script(script).tuned(tuning) });
  return definitionOf(stack).States.Tune.Parameters!.HyperParameterTuningJobConfig as Record<string, unknown>;
};

test('a search by Bayes with everything that ends it early', () => {
  const { stack } = samplePipeline({ within: (scope) => ({ training: tunedTraining(scope) }) });
  const { Tune } = definitionOf(stack).States;
  expect(Tune.Parameters).toMatchObject({
    HyperParameterTuningJobConfig: {
      Strategy: 'Bayesian',
      HyperParameterTuningJobObjective: { Type: 'Minimize', MetricName: 'holdout:rmse' },
      ResourceLimits: { MaxNumberOfTrainingJobs: 20, MaxParallelTrainingJobs: 4 },
      ParameterRanges: {
        IntegerParameterRanges: [{ Name: 'depth', MinValue: '2', MaxValue: '8', ScalingType: 'Auto' }],
        ContinuousParameterRanges: [{ Name: 'eta', MinValue: '0.01', MaxValue: '0.3', ScalingType: 'Logarithmic' }],
        CategoricalParameterRanges: [{ Name: 'booster', Values: ['gbtree', 'dart'] }],
      },
      TrainingJobEarlyStoppingType: 'Auto',
      TuningJobCompletionCriteria: {
        TargetObjectiveMetricValue: 1,
        BestObjectiveNotImproving: { MaxNumberOfTrainingJobsNotImproving: 5 },
        ConvergenceDetected: { CompleteOnConvergence: 'Enabled' },
      },
      RandomSeed: 7,
    },
    TrainingJobDefinition: {
      'StaticHyperParameters.$': '$.prepared.training.hyperParameters',
      EnableManagedSpotTraining: true,
      EnableNetworkIsolation: true,
      InputDataConfig: [{ ChannelName: 'train' }, { ChannelName: 'code' }],
    },
  });
  // Five in sequence, each with its longest wait and what SageMaker needs around it, and the way to the first instance.
  expect(Tune.TimeoutSeconds).toBe(5 * (5 * 3600 + 900) + 1800);
});

test.each([
  ['Random', Tuning.random({ ...base, maxJobs: 10_000 }), { ResourceLimits: { MaxNumberOfTrainingJobs: 10_000, MaxParallelTrainingJobs: 1 } }],
  [
    'Hyperband',
    Tuning.hyperband({ ...base, maxJobs: 30, minResource: 1, maxResource: 100 }),
    { StrategyConfig: { HyperbandStrategyConfig: { MinResource: 1, MaxResource: 100 } }, TrainingJobEarlyStoppingType: 'Off' },
  ],
  [
    'Grid',
    Tuning.grid({ ...base, ranges: [ParameterRange.categorical('depth', ['2', '4']), ParameterRange.categorical('eta', ['0.1', '0.3'])] }),
    { ResourceLimits: { MaxParallelTrainingJobs: 1 }, TrainingJobEarlyStoppingType: 'Off' },
  ],
])('%s', (strategy, tuning, expected) => {
  expect(configOf(tuning)).toMatchObject({ Strategy: strategy, ...expected });
});

test('the best job goes on in the shape of a single one; a rebuild trains once', () => {
  const { stack } = samplePipeline({ within: (scope) => ({ training: tunedTraining(scope) }) });
  const { Tunes, Tune, DescribeBest, Train } = definitionOf(stack).States;
  expect(Tunes.Choices![0]).toMatchObject({ Variable: '$.prepared.rebuildOf.present', BooleanEquals: true, Next: 'Train' });
  expect([Tunes.Default, Tune.Next, DescribeBest.Next, Train.Next]).toEqual(['Tune', 'DescribeBest', 'CreateModelKind', 'CreateModelKind']);
  const shape = (state: unknown) => (state as { ResultSelector: object; ResultPath: string });
  expect(shape(DescribeBest)).toMatchObject({ ResultSelector: shape(Train).ResultSelector, ResultPath: '$.trainingJob' });
  expect(DescribeBest.Resource).toBe('arn:aws:states:::aws-sdk:sagemaker:describeTrainingJob');
});

test('the state machine may look at the jobs of its own tunings and at no others', () => {
  const { stack } = samplePipeline({ within: (scope) => ({ training: tunedTraining(scope) }) });
  const roles = Object.entries(Template.fromStack(stack).findResources('AWS::IAM::Role'));
  const [role] = roles.filter(([id]) => id.startsWith('PipelineStateMachineRole'));
  const statements = role[1].Properties.Policies[0].PolicyDocument.Statement as { Action: unknown; Resource: unknown }[];
  const describing = statements.filter(({ Action }) => Action === 'sagemaker:DescribeTrainingJob');
  expect(describing).toHaveLength(1);
  expect(JSON.stringify(describing[0].Resource)).toMatch(/training-job\/mlops-[0-9a-f]{5}-\*/);
});

describe('synth refuses', () => {
  const search = Tuning.random({ ...base, maxJobs: 9 });

  test.each<[string, () => unknown, RegExp]>([
    ['a grid without end', () => Tuning.grid(base), /Tuning\.grid: ranges: a grid needs values that can be counted, got depth/],
    ['more trainings than SageMaker runs', () => Tuning.bayesian({ ...base, maxJobs: 751 }), /maxJobs: must be between 1 and 750/],
    ['more at the same time than in all', () => Tuning.bayesian({ ...base, maxJobs: 2, maxParallelJobs: 3 }), /maxParallelJobs: must be between/],
    ['a search of more than 30 days', () => Tuning.random({ ...base, maxJobs: 2, maxSearchTime: Duration.days(31) }), /maxSearchTime: must be/],
    ['no ranges', () => Tuning.bayesian({ ...base, maxJobs: 2, ranges: [] }), /ranges: must be between 1 and 30, got 0/],
    ['two ranges of one name', () => Tuning.bayesian({ ...base, maxJobs: 2, ranges: [depth, depth] }), /each hyperparameter has one range/],
    ['fewer than three trainings without success', () => Tuning.random({ ...base, maxJobs: 9, maxJobsWithoutImprovement: 2 }), /must be at least 3/],
    ['most below least', () => Tuning.hyperband({ ...base, maxJobs: 9, minResource: 9, maxResource: 3 }), /minResource: must be between 1 and 3/],
    [
      'ends that are the wrong way round',
      () => Tuning.random({ ...base, maxJobs: 9, ranges: [ParameterRange.integer('depth', 8, 2)] }),
      /ranges\[0\]: the smallest value must be below the largest, got 8 to 2/,
    ],
    [
      'a logarithm of 0',
      () => Tuning.random({ ...base, maxJobs: 9, ranges: [ParameterRange.continuous('eta', 0, 1, RangeScaling.LOGARITHMIC)] }),
      /a logarithmic range begins above 0/,
    ],
    [
      'a reverse logarithm of whole numbers',
      () => Tuning.random({ ...base, maxJobs: 9, ranges: [ParameterRange.integer('depth', 2, 8, RangeScaling.REVERSE_LOGARITHMIC)] }),
      /a reverse logarithmic range is continuous/,
    ],
    [
      'a figure that nobody reads',
      () => configOf(Tuning.random({ ...base, maxJobs: 9, metric: 'auc' })),
      /training\.tuned\.metric: .*got 'auc'; choose one of holdout:rmse/,
    ],
    [
      'what is varied and fixed',
      () => samplePipeline({ training: Training.script({ ...script, hyperparameters: { depth: '3' } }).tuned(search) }),
      /training\.hyperparameters\.depth: is varied, so it cannot be fixed too/,
    ],
    [
      'instances that are kept',
      () => samplePipeline({ training: Training.script({ ...script, keepAlive: Duration.minutes(1) }).tuned(search) }),
      /training\.keepAlive: a tuning keeps its instances by itself/,
    ],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});
