import * as sfn from 'aws-cdk-lib/aws-stepfunctions';

/** Values of a run that a step of yours can take. They stand once the step named with each of them is over. */
export class RunData {
  /** Name of the model. */
  public static readonly MODEL: string = sfn.JsonPath.stringAt('$.model');
  /** Id of the run. */
  public static readonly RUN_ID: string = sfn.JsonPath.stringAt('$.runId');
  /** PREPARE_DATA: S3 URI of the training rows, CSV with header. */
  public static readonly TRAIN_URI: string = sfn.JsonPath.stringAt('$.prepared.trainUri');
  /** PREPARE_DATA: S3 URI of the holdout's rows, CSV with header and target. */
  public static readonly HOLDOUT_URI: string = sfn.JsonPath.stringAt('$.prepared.holdoutUri');
  /** PREPARE_DATA: S3 URI of the holdout's rows as a client would send them, CSV without header and target. */
  public static readonly HOLDOUT_FEATURES_URI: string = sfn.JsonPath.stringAt('$.prepared.holdoutFeaturesUri');
  /** PREPARE_DATA: S3 URI of the data manifest. */
  public static readonly MANIFEST_URI: string = sfn.JsonPath.stringAt('$.prepared.manifestUri');
  /** TRAIN: S3 URI of the candidate's `model.tar.gz`. */
  public static readonly MODEL_ARTIFACT_URI: string = sfn.JsonPath.stringAt('$.trainingJob.ModelArtifacts.S3ModelArtifacts');
  /** TRAIN: name of the SageMaker model of the candidate. */
  public static readonly SAGEMAKER_MODEL_NAME: string = sfn.JsonPath.stringAt('$.candidate.sagemakerModelName');
  /** SCORE_HOLDOUT: S3 URI of the directory with the candidate's scores. */
  public static readonly CANDIDATE_SCORES_URI: string = sfn.JsonPath.stringAt('$.prepared.candidateScoresUri');
  /** EVALUATE: S3 URI of the gate's report. */
  public static readonly GATE_REPORT_URI: string = sfn.JsonPath.stringAt('$.evaluation.reportUri');
  /** REGISTER: number of the version. */
  public static readonly VERSION: number = sfn.JsonPath.numberAt('$.registered.version');
  /** RELEASE: name of the endpoint configuration that runs the version. */
  public static readonly ENDPOINT_CONFIG_NAME: string = sfn.JsonPath.stringAt('$.release.endpointConfigName');

  /**
   * A field of what an earlier step of yours left, e.g. `RunData.ofStep('Features', 'outputs.train')`.
   *
   * @param stepId id of the step
   * @param field path of the field in its result
   */
  public static ofStep(stepId: string, field: string): string {
    return sfn.JsonPath.stringAt(`$.steps.${stepId}.${field}`);
  }

  private constructor() {}
}
