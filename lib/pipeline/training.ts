import * as fs from 'node:fs';
import * as path from 'node:path';
import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3assets from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { TaskSpec } from '../common/contract';
import { Validator } from '../common/validation';
import { archiveOf, CodeArchive, revisionOf } from './code-archive';
import { PipelineSpec } from './contract';
import { Holdout } from './holdout';
import { JobImage } from './job-image';
import { JobSettings, settingsOf } from './job-settings';
import { stageArchive } from './stage-archive';
import { MetricDefinition, TrainingAlgorithmOptions, TrainingImageOptions, TrainingOptions, TrainingScriptOptions } from './training-options';
import { checkAlgorithm, checkTraining, longestOf } from './training-rules';
import { BoundTuning, Tuning } from './tuning';

const DEFAULT_MINIMUM_ROWS = 100;
/** What an image without script mode is run with. */
const TRAIN = 'train';

/**
 * What a pipeline needs of a training once it stands in a stack.
 *
 * @internal
 */
export interface BoundTraining {
  /** Absent where the image holds all code. */
  readonly code?: s3assets.Asset;
  readonly options: TrainingOptions;
  readonly settings: JobSettings;
  readonly metricDefinitions: readonly { readonly Name: string; readonly Regex: string }[];
  readonly tuning?: BoundTuning;
  /** Longest time of a single training, waiting for spare capacity included. */
  readonly longest: Duration;
  readonly spec: Pick<PipelineSpec, 'training' | 'holdout' | 'hyperparameters' | 'commit' | 'dirty' | 'minimumTrainingRows'>;
  grantPull(scope: Construct, role: iam.Role): void;
  grantDigest(scope: Construct, grantee: iam.IGrantable): void;
}

/** The code of a training in script mode. */
interface Script {
  readonly directory: string;
  readonly entryPoint: string;
  readonly archive: CodeArchive;
}

/** How a model is trained. */
export class Training {
  /**
   * A script of yours in one of SageMaker's framework images.
   *
   * Fails at synth if the directory or the entry point is missing, or a value is one that SageMaker would refuse.
   */
  public static script(options: TrainingScriptOptions): Training {
    const { directory, entryPoint } = options;
    const script = path.join(directory, entryPoint);
    const validator = new Validator('Training.script')
      .check(isDirectory(directory), {
        rule: 'must be a directory',
        place: 'directory',
        got: `'${directory}'`,
        fix: 'state the path of the training code',
      })
      .check(!isDirectory(directory) || fs.statSync(script, { throwIfNoEntry: false })?.isFile() === true, {
        rule: 'must be a file in the directory',
        place: 'entryPoint',
        got: `'${entryPoint}'`,
        fix: `put it into ${directory} or name the script that is there`,
      })
      .pattern('entryPoint', entryPoint, /\.py$/, 'script mode runs Python files', 'name a file that ends with .py');
    checkTraining(validator, options, options.metricDefinitions);
    validator.throwIfAny();
    return new Training(options, JobImage.fromFramework(options.framework), options.metricDefinitions, {
      ...{ directory, entryPoint },
      archive: archiveOf(directory),
    });
  }

  /**
   * An image of yours that trains and serves without script mode.
   *
   * Fails at synth if a value is one that SageMaker would refuse.
   */
  public static image(options: TrainingImageOptions): Training {
    const validator = new Validator('Training.image');
    checkTraining(validator, options, options.metricDefinitions);
    validator.throwIfAny();
    return new Training(options, options.image, options.metricDefinitions);
  }

  /**
   * SageMaker's built-in XGBoost: no code, only hyperparameters, of which it needs `num_round`. For tasks of regression and of two classes whose
   * columns are all numbers; two classes need the objective `binary:logistic`, since the answer is taken as a probability.
   *
   * Fails at synth if the framework has no algorithm, or a value is one that SageMaker would refuse.
   */
  public static algorithm(options: TrainingAlgorithmOptions): Training {
    const validator = new Validator('Training.algorithm')
      .check(options.framework._hasAlgorithm, {
        rule: 'the image has to hold an algorithm of its own',
        place: 'framework',
        fix: 'use Framework.xgboost(), or Training.script()',
      })
      .check(options.hyperparameters?.num_round !== undefined, {
        rule: 'XGBoost has to be told its number of rounds',
        place: 'hyperparameters.num_round',
        fix: "state it, e.g. '100'",
      });
    checkTraining(validator, options);
    validator.throwIfAny();
    return new Training(options, JobImage.fromFramework(options.framework), [], undefined, undefined, true);
  }

  private constructor(
    private readonly options: TrainingOptions,
    private readonly image: JobImage,
    private readonly metricDefinitions: readonly MetricDefinition[] = [],
    private readonly script?: Script,
    private readonly tuning?: Tuning,
    private readonly builtIn = false,
  ) {}

  /**
   * The same training, many times: SageMaker looks for the best hyperparameters, and the best job goes on to be judged. A rebuild trains once, with
   * the hyperparameters on record.
   *
   * Fails at synth if the tuning's objective is no metric of the training, or it varies what the training states as fixed.
   */
  public tuned(tuning: Tuning): Training {
    return new Training(this.options, this.image, this.metricDefinitions, this.script, tuning, this.builtIn);
  }

  /** @internal */
  public get _instanceType(): string {
    return settingsOf(this.options).instanceType;
  }

  /**
   * Which rows are kept out of training.
   *
   * @internal
   */
  public _holdout(task: TaskSpec): PipelineSpec['holdout'] {
    return (this.options.holdout ?? (task.timeColumn ? Holdout.lastDays(14) : Holdout.share(0.2)))._toSpec();
  }

  /**
   * Puts the code into the stack's assets and looks up the image.
   *
   * @internal
   */
  public _bind(scope: Construct, task: TaskSpec, validator: Validator): BoundTraining {
    const { options, image, script } = this;
    const holdout = this._holdout(task);
    validator.check(holdout.days === undefined || task.timeColumn !== undefined, {
      rule: 'a holdout of days needs the time of each row',
      place: 'training.holdout',
      got: 'a task without timeColumn',
      fix: 'name the timeColumn in the task, or use Holdout.share()',
    });
    if (this.builtIn) checkAlgorithm(validator, task, options, this.tuning !== undefined);
    const tuning = this.tuning?._bind(options, this.metricDefinitions, validator);
    validator.throwIfAny();
    const code = script && stageArchive(scope, script.archive);
    const uri = image._uri(scope);
    const settings = settingsOf(options);
    return {
      code,
      options,
      settings,
      metricDefinitions: this.metricDefinitions.map(({ name, regex }) => ({ Name: name, Regex: regex })),
      tuning,
      longest: longestOf(options),
      spec: {
        training: {
          image: uri,
          instanceType: settings.instanceType,
          entryPoint: script?.entryPoint ?? TRAIN,
          codeUri: code?.s3ObjectUrl ?? uri,
          ...(this.builtIn && { targetFirst: true }),
          ...(script && { codeSha256: script.archive.sha256 }),
          ...(script && settings.networkIsolation && { codeChannel: true }),
        },
        holdout,
        hyperparameters: options.hyperparameters ?? {},
        minimumTrainingRows: options.minimumRows ?? DEFAULT_MINIMUM_ROWS,
        ...(script && revisionOf(script.directory)),
      },
      grantPull: (within, role) => image._grantPull(within, role),
      grantDigest: (within, grantee) => image._grantDigest(within, grantee),
    };
  }
}

const isDirectory = (directory: string): boolean => fs.statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true;
