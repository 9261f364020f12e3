import { Duration } from 'aws-cdk-lib';
import { Validator } from '../common/validation';
import { secondsOf } from './job-settings';
import { ParameterRange } from './parameter-range';
import { MetricDefinition, TrainingOptions } from './training-options';
import { longestOf } from './training-rules';
import { HyperbandTuningOptions, TuningOptions, TuningSearchOptions } from './tuning-options';

/** Time of each training that SageMaker needs beside it. */
const PER_JOB = Duration.minutes(15);
const LONGEST_SEARCH = 30 * 86_400;
const MOST_JOBS = 750;
const MOST_RANDOM_JOBS = 10_000;

/**
 * A tuning in the request's own words.
 *
 * @internal
 */
export interface BoundTuning {
  readonly config: { readonly [field: string]: unknown };
  readonly longest: Duration;
}

/** What differs between the strategies. */
interface Strategy {
  readonly name: 'Bayesian' | 'Random' | 'Hyperband' | 'Grid';
  readonly factory: string;
  /** Trainings in all. */
  readonly jobs: number;
  readonly mostJobs: number;
  readonly earlyStopping?: boolean;
  readonly config?: { readonly [field: string]: unknown };
  readonly criteria?: { readonly [field: string]: unknown };
}

/** How the best hyperparameters are looked for. */
export class Tuning {
  /** What worked so far decides what is tried next. Good with few trainings at the same time. */
  public static bayesian(options: TuningSearchOptions): Tuning {
    return Tuning.search('Bayesian', 'Tuning.bayesian', MOST_JOBS, options);
  }

  /** Values by chance; any number of trainings at the same time. */
  public static random(options: TuningSearchOptions): Tuning {
    return Tuning.search('Random', 'Tuning.random', MOST_RANDOM_JOBS, options);
  }

  /** Many short trainings, of which the promising ones go on; for trainings that report their metric while they run. */
  public static hyperband(options: HyperbandTuningOptions): Tuning {
    const { maxJobs, minResource, maxResource } = options;
    new Validator('Tuning.hyperband')
      .range('minResource', minResource, 1, maxResource, 'at least 1, and not above maxResource')
      .range('maxResource', maxResource, 1, Infinity)
      .throwIfAny();
    const HyperbandStrategyConfig = { ...(minResource !== undefined && { MinResource: minResource }), MaxResource: maxResource };
    return new Tuning(options, {
      ...{ name: 'Hyperband', factory: 'Tuning.hyperband', jobs: maxJobs, mostJobs: MOST_JOBS },
      config: { StrategyConfig: { HyperbandStrategyConfig } },
    });
  }

  /** Every combination once; categorical ranges only. */
  public static grid(options: TuningOptions): Tuning {
    const jobs = options.ranges.reduce((product, { _count }) => product * (_count ?? 0), 1);
    new Validator('Tuning.grid')
      .check(jobs > 0, {
        rule: 'a grid needs values that can be counted',
        place: 'ranges',
        got: options.ranges.filter(({ _count }) => _count === undefined).map(({ _name }) => _name).join(', '),
        fix: 'use ParameterRange.categorical()',
      })
      .throwIfAny();
    return new Tuning(options, { name: 'Grid', factory: 'Tuning.grid', jobs, mostJobs: MOST_JOBS });
  }

  private static search(name: 'Bayesian' | 'Random', factory: string, mostJobs: number, options: TuningSearchOptions): Tuning {
    const { maxJobs, earlyStopping, maxJobsWithoutImprovement, stopOnConvergence } = options;
    new Validator(factory).range('maxJobsWithoutImprovement', maxJobsWithoutImprovement, 3, Infinity).throwIfAny();
    const criteria = {
      ...(maxJobsWithoutImprovement !== undefined && {
        BestObjectiveNotImproving: { MaxNumberOfTrainingJobsNotImproving: maxJobsWithoutImprovement },
      }),
      ...(stopOnConvergence && { ConvergenceDetected: { CompleteOnConvergence: 'Enabled' } }),
    };
    return new Tuning(options, { name, factory, jobs: maxJobs, mostJobs, earlyStopping, criteria });
  }

  private constructor(
    private readonly options: TuningOptions,
    private readonly strategy: Strategy,
  ) {
    const { ranges, maxParallelJobs, maxSearchTime, randomSeed } = options;
    const { factory, jobs, mostJobs } = strategy;
    const validator = new Validator(factory)
      .range('ranges', ranges.length, 1, 30, 'SageMaker varies 1 to 30 hyperparameters')
      .range('maxJobs', jobs, 1, mostJobs, `SageMaker runs at most ${mostJobs} trainings of such a search`)
      .range('maxParallelJobs', maxParallelJobs, 1, Math.min(100, jobs), 'not above the trainings in all')
      .range('maxSearchTime', secondsOf(maxSearchTime), 120, LONGEST_SEARCH, 'SageMaker searches for two minutes to 30 days')
      .range('randomSeed', randomSeed, 0, 2_147_483_647)
      .check(new Set(ranges.map(({ _name }) => _name)).size === ranges.length, {
        rule: 'each hyperparameter has one range',
        place: 'ranges',
        got: ranges.map(({ _name }) => _name).join(', '),
        fix: 'name each once',
      });
    ranges.forEach((range, index) => range._check(validator, `ranges[${index}]`));
    validator.throwIfAny();
  }

  /**
   * The tuning for a training; what does not fit it are problems.
   *
   * @internal
   */
  public _bind(training: TrainingOptions, metrics: readonly MetricDefinition[], validator: Validator): BoundTuning {
    const { metric, maximize, ranges, maxParallelJobs = 1, maxSearchTime, randomSeed, targetValue } = this.options;
    const { name, jobs, earlyStopping, config, criteria } = this.strategy;
    const known = metrics.map((definition) => definition.name).join(', ');
    validator
      .check(metrics.some((definition) => definition.name === metric), {
        rule: 'the tuning decides by a figure that SageMaker reads from the training',
        place: 'training.tuned.metric',
        got: `'${metric}'`,
        fix: metrics.length > 0 ? `choose one of ${known}` : 'state metricDefinitions of the training',
      })
      .check(training.keepAlive === undefined, {
        rule: 'a tuning keeps its instances by itself',
        place: 'training.keepAlive',
        fix: 'leave keepAlive out',
      });
    for (const { _name } of ranges.filter((range) => training.hyperparameters?.[range._name] !== undefined)) {
      validator.check(false, { rule: 'is varied, so it cannot be fixed too', place: `training.hyperparameters.${_name}`, fix: 'leave it out there' });
    }
    const limits = { ...(name !== 'Grid' && { MaxNumberOfTrainingJobs: jobs }), MaxParallelTrainingJobs: maxParallelJobs };
    const searched = maxSearchTime && { MaxRuntimeInSeconds: maxSearchTime.toSeconds() };
    const completion = { ...criteria, ...(targetValue !== undefined && { TargetObjectiveMetricValue: targetValue }) };
    const inSequence = Math.ceil(jobs / maxParallelJobs) * longestOf(training).plus(PER_JOB).toSeconds();
    return {
      config: {
        Strategy: name,
        ...config,
        HyperParameterTuningJobObjective: { Type: maximize ? 'Maximize' : 'Minimize', MetricName: metric },
        ResourceLimits: { ...limits, ...searched },
        ParameterRanges: ParameterRange._render(ranges),
        TrainingJobEarlyStoppingType: earlyStopping ? 'Auto' : 'Off',
        ...(Object.keys(completion).length > 0 && { TuningJobCompletionCriteria: completion }),
        ...(randomSeed !== undefined && { RandomSeed: randomSeed }),
      },
      longest: maxSearchTime ?? Duration.seconds(Math.min(LONGEST_SEARCH, inSequence)),
    };
  }
}
