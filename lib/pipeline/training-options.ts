import { Duration } from 'aws-cdk-lib';
import { Framework } from './framework';
import { Holdout } from './holdout';
import { JobImage } from './job-image';
import { JobOptions } from './job-options';

/** A figure that SageMaker reads from what a training prints. */
export interface MetricDefinition {
  /** Name of the figure, at most 255 characters. */
  readonly name: string;

  /** Regular expression with one group around the number, at most 500 characters, e.g. `rmse: ([0-9.]+)`. */
  readonly regex: string;
}

/** Training on capacity that AWS takes back when it needs it, at a lower price. */
export interface SpotOptions {
  /** Longest time from start to end, waiting for capacity included; not below `maxRuntime`, at most 28 days. */
  readonly maxWait: Duration;

  /**
   * Whether what the code writes to `/opt/ml/checkpoints` is kept beside the model and is there again after an interruption. Without it an
   * interrupted training begins anew.
   *
   * @default true
   */
  readonly checkpoints?: boolean;
}

/** What trainings of all kinds have in common. */
export interface TrainingOptions extends JobOptions {
  /**
   * Arguments of the training. SageMaker knows them as strings only. At most 95, and 2000 characters in all, as JSON.
   *
   * @default - none
   */
  readonly hyperparameters?: { [name: string]: string };

  /**
   * Part of the data that is kept out of training.
   *
   * @default - the last 14 days where the task has a timeColumn, otherwise 20 % of the rows
   */
  readonly holdout?: Holdout;

  /**
   * Fewest training rows that a run may go on with.
   *
   * @default 100
   */
  readonly minimumRows?: number;

  /**
   * Trains on spare capacity.
   *
   * @default - on demand
   */
  readonly spot?: SpotOptions;

  /**
   * How long the instances are kept warm for the next run, a second to an hour; billed meanwhile. Needs a service quota, which is 0 at first; not
   * with `spot`.
   *
   * @default - not at all
   */
  readonly keepAlive?: Duration;

  /**
   * How often SageMaker tries again by itself where its own servers failed, 1 to 30.
   *
   * @default - not at all
   */
  readonly retryAttempts?: number;
}

/** Options of a training in script mode. */
export interface TrainingScriptOptions extends TrainingOptions {
  /** Directory of the code; it is packed at synth and unpacked in the containers of training and inference. */
  readonly directory: string;

  /** Script in the directory that trains, and that holds the inference functions (`model_fn` and its kin). */
  readonly entryPoint: string;

  /** Framework of the script; decides the image. */
  readonly framework: Framework;

  /**
   * Figures to read from what the script prints, at most 40. A tuning needs the one that it optimizes.
   *
   * @default - none
   */
  readonly metricDefinitions?: MetricDefinition[];
}

/** Options of a training in an image of your own. */
export interface TrainingImageOptions extends TrainingOptions {
  /**
   * The image. Run with `train` it reads `/opt/ml/input` and leaves its model in `/opt/ml/model`; run with `serve` it answers `GET /ping` and
   * `POST /invocations` on port 8080. It holds all code: the version's record names it by its digest.
   */
  readonly image: JobImage;

  /**
   * Figures to read from what the container prints, at most 40. A tuning needs the one that it optimizes.
   *
   * @default - none
   */
  readonly metricDefinitions?: MetricDefinition[];
}

/** Options of a training by one of SageMaker's built-in algorithms. */
export interface TrainingAlgorithmOptions extends TrainingOptions {
  /** Framework whose image holds the algorithm: XGBoost. */
  readonly framework: Framework;
}
