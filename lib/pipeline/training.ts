import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Duration } from 'aws-cdk-lib';
import * as s3assets from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { TaskSpec } from '../common/contract';
import { Validator } from '../common/validation';
import { archiveOf, CodeArchive, revisionOf } from './code-archive';
import { PipelineSpec } from './contract';
import { Framework } from './framework';
import { Holdout } from './holdout';

const DEFAULT_INSTANCE_TYPE = 'ml.m5.large';
const DEFAULT_MAX_RUNTIME = Duration.hours(1);
const DEFAULT_MINIMUM_ROWS = 100;
/** Functions carry them in their environment, which ends at 4 KiB; SageMaker itself takes 2500 characters for each value. */
const LARGEST_HYPERPARAMETERS = 2000;

/** Options of a training in script mode. */
export interface TrainingScriptOptions {
  /** Directory of the code; it is packed at synth and unpacked in the containers of training and inference. */
  readonly directory: string;

  /** Script in the directory that trains, and that holds the inference functions (`model_fn` and its kin). */
  readonly entryPoint: string;

  /** Framework of the script; decides the image. */
  readonly framework: Framework;

  /**
   * Arguments of the script, `--name value` each. SageMaker knows them as strings only. At most 2000 characters in all, as JSON.
   *
   * @default - none
   */
  readonly hyperparameters?: { [name: string]: string };

  /**
   * Instance type of training and of scoring the holdout, as SageMaker names it.
   *
   * @default 'ml.m5.large'
   */
  readonly instanceType?: string;

  /**
   * Longest time the script may run; SageMaker stops it then and the run fails. At most 28 days.
   *
   * @default Duration.hours(1)
   */
  readonly maxRuntime?: Duration;

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
}

/**
 * What a pipeline needs of a training once it stands in a stack.
 *
 * @internal
 */
export interface BoundTraining {
  readonly code: s3assets.Asset;
  readonly framework: Framework;
  readonly instanceType: string;
  readonly maxRuntime: Duration;
  readonly spec: Pick<PipelineSpec, 'training' | 'holdout' | 'hyperparameters' | 'commit' | 'dirty' | 'minimumTrainingRows'>;
}

/** How a model is trained. */
export class Training {
  /**
   * A script of yours in one of SageMaker's framework images.
   *
   * Fails at synth if the directory or the entry point is missing, or a value is one that SageMaker would refuse.
   */
  public static script(options: TrainingScriptOptions): Training {
    return new Training(options);
  }

  private readonly archive: CodeArchive;

  private constructor(private readonly options: TrainingScriptOptions) {
    const { directory, entryPoint, hyperparameters = {}, maxRuntime, minimumRows } = options;
    const script = path.join(directory, entryPoint);
    const runtime = maxRuntime && !maxRuntime.isUnresolved() ? maxRuntime.toSeconds() : undefined;
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
      .pattern('entryPoint', entryPoint, /\.py$/, 'script mode runs Python files', 'name a file that ends with .py')
      .pattern('instanceType', options.instanceType, /^ml\./, 'SageMaker trains on instance types whose names begin with ml.', "e.g. 'ml.m5.large'")
      .range('maxRuntime', runtime, 60, 28 * 86_400, 'SageMaker counts seconds, from a minute to 28 days')
      .range('minimumRows', minimumRows, 1, Infinity)
      .range('hyperparameters', Object.keys(hyperparameters).length, 0, 95, 'SageMaker takes 100, some of them say where the code is');
    for (const [name, value] of Object.entries(hyperparameters)) {
      validator
        .check(!name.startsWith('sagemaker_'), { rule: 'sagemaker_ is reserved', place: `hyperparameters.${name}`, fix: 'choose another name' })
        .check(typeof value === 'string', {
          rule: 'must be a string',
          place: `hyperparameters.${name}`,
          got: typeof value,
          fix: 'write it in quotes',
        });
    }
    const size = JSON.stringify(hyperparameters).length;
    validator.check(size <= LARGEST_HYPERPARAMETERS, {
      rule: `must take at most ${LARGEST_HYPERPARAMETERS} characters as JSON`,
      place: 'hyperparameters',
      got: String(size),
      fix: 'put long values into a file beside the script',
    });
    validator.throwIfAny();
    this.archive = archiveOf(directory);
  }

  /**
   * Puts the code into the stack's assets and looks up the image.
   *
   * @internal
   */
  public _bind(scope: Construct, task: TaskSpec, validator: Validator): BoundTraining {
    const { directory, entryPoint, framework, hyperparameters = {}, minimumRows = DEFAULT_MINIMUM_ROWS } = this.options;
    const holdout = (this.options.holdout ?? (task.timeColumn ? Holdout.lastDays(14) : Holdout.share(0.2)))._toSpec();
    validator.check(holdout.days === undefined || task.timeColumn !== undefined, {
      rule: 'a holdout of days needs the time of each row',
      place: 'training.holdout',
      got: 'a task without timeColumn',
      fix: 'name the timeColumn in the task, or use Holdout.share()',
    });
    validator.throwIfAny();
    const code = this.stage(scope);
    const image = framework._image(scope);
    const instanceType = this.options.instanceType ?? DEFAULT_INSTANCE_TYPE;
    return {
      code,
      framework,
      instanceType,
      maxRuntime: this.options.maxRuntime ?? DEFAULT_MAX_RUNTIME,
      spec: {
        training: { image, entryPoint, instanceType, codeUri: code.s3ObjectUrl, codeSha256: this.archive.sha256 },
        holdout,
        hyperparameters,
        minimumTrainingRows: minimumRows,
        ...revisionOf(directory),
      },
    };
  }

  /** The asset is copied at once, so the archive need not stay where it was written; where staging is off, CDK reads it from there later. */
  private stage(scope: Construct): s3assets.Asset {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mlops-code-'));
    const file = path.join(directory, 'sourcedir.tar.gz');
    fs.writeFileSync(file, this.archive.bytes);
    const asset = new s3assets.Asset(scope, 'Code', { path: file, assetHash: this.archive.sha256 });
    if (!path.isAbsolute(asset.assetPath)) fs.rmSync(directory, { recursive: true });
    return asset;
  }
}

const isDirectory = (directory: string): boolean => fs.statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true;
