import { Duration } from 'aws-cdk-lib';
import { ParameterRange } from './parameter-range';

/** What every tuning states. */
export interface TuningOptions {
  /** Figure that decides; one of the training's `metricDefinitions`. */
  readonly metric: string;

  /** Whether a larger figure is better. */
  readonly maximize: boolean;

  /** What is varied, 1 to 30 hyperparameters; none of them may stand in the training's `hyperparameters` too. */
  readonly ranges: ParameterRange[];

  /**
   * Trainings at the same time, 1 to 100; an account begins with a quota of 10.
   *
   * @default 1
   */
  readonly maxParallelJobs?: number;

  /**
   * Longest time of the whole search, at most 30 days; it ends then with the best training so far.
   *
   * @default - as long as its trainings take
   */
  readonly maxSearchTime?: Duration;

  /**
   * Seed that makes the choice of values repeatable, 0 to 2147483647.
   *
   * @default - another choice each time
   */
  readonly randomSeed?: number;

  /**
   * Value of the metric with which the search is over.
   *
   * @default - none
   */
  readonly targetValue?: number;
}

/** Options of a search whose length is stated. */
export interface TuningSearchOptions extends TuningOptions {
  /** Trainings in all: 1 to 750, at random 10000. */
  readonly maxJobs: number;

  /**
   * Whether SageMaker stops trainings that promise nothing.
   *
   * @default false
   */
  readonly earlyStopping?: boolean;

  /**
   * Trainings without a better one after which the search is over, at least 3.
   *
   * @default - none
   */
  readonly maxJobsWithoutImprovement?: number;

  /**
   * Whether the search is over when SageMaker finds that it will get no better.
   *
   * @default false
   */
  readonly stopOnConvergence?: boolean;
}

/** Options of a search by Hyperband, which stops trainings by itself. */
export interface HyperbandTuningOptions extends TuningOptions {
  /** Trainings in all: 1 to 750. */
  readonly maxJobs: number;

  /**
   * Fewest epochs or rounds that a training gets before it may be stopped.
   *
   * @default - SageMaker chooses
   */
  readonly minResource?: number;

  /** Most epochs or rounds that a training gets. */
  readonly maxResource: number;
}
