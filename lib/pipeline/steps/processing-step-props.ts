import * as iam from 'aws-cdk-lib/aws-iam';
import { JobImage } from '../job-image';
import { JobOptions } from '../job-options';

/** What a processing job reads. */
export interface ProcessingInput {
  /** Directory below `/opt/ml/processing/input` that it stands in; letters, digits, `-` and `_`, not `code`. */
  readonly name: string;

  /** S3 URI of an object or prefix, also a value of the run, e.g. `RunData.TRAIN_URI`. */
  readonly source: string;
}

/** Properties of a processing step. */
export interface ProcessingStepProps extends JobOptions {
  /** Image that the job runs. */
  readonly image: JobImage;

  /**
   * Directory of code; it is packed at synth and unpacked to `/tmp/code`. The image needs `sh`, `tar` and `python3`.
   *
   * @default - the image holds all code
   */
  readonly directory?: string;

  /**
   * Python script in the directory that the job runs; its working directory is that of the code.
   *
   * @default - the image's own entry point
   */
  readonly entryPoint?: string;

  /**
   * Arguments, also values of the run.
   *
   * @default - none
   */
  readonly arguments?: string[];

  /**
   * What the job reads, at most 9.
   *
   * @default - nothing
   */
  readonly inputs?: ProcessingInput[];

  /**
   * Names of directories below `/opt/ml/processing/output` that are kept when the job ends, at most 10. Their S3 URIs are the step's result:
   * `RunData.ofStep(stepId, 'outputs.<name>')`.
   *
   * @default - nothing is kept
   */
  readonly outputs?: string[];

  /**
   * Role of the job. It needs what the job reads beyond the rows and artifacts of the model's runs; `grantPrincipal` of your own buckets' grants.
   *
   * @default - a new one that reads the rows and artifacts of the model's runs and writes artifacts
   */
  readonly role?: iam.Role;
}
