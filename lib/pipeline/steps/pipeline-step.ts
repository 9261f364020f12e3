import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { ArtifactStore } from '../../artifacts/artifact-store';
import { ModelEndpoint } from '../../serving/model-endpoint';
import { at, jobName, shortJobName, shortPrefix } from '../names';

/** What the context of a step is made from. */
export interface PipelineStepContextProps {
  /** Name of the model. */
  readonly modelName: string;
  /** Name of the platform. */
  readonly platformName: string;
  /** Where data, models and reports lie. */
  readonly store: ArtifactStore;
  /** Where the model answers. */
  readonly endpoint: ModelEndpoint;
  /** Role that the state machine runs under. */
  readonly stateMachineRole: iam.IRole;
  /** Id of the step. */
  readonly stepId: string;
  /** Place of the step among those that were added, from 0. */
  readonly index: number;
}

/** What a step may know of the pipeline that it becomes part of. Strings that name a path are values of a run, resolved by the state machine. */
export class PipelineStepContext {
  /** Name of the model. */
  public readonly modelName: string;
  /** Name of the platform. */
  public readonly platformName: string;
  /** Where data, models and reports lie: grant access to it to what the step runs. */
  public readonly store: ArtifactStore;
  /** Where the model answers; its role scores rows. */
  public readonly endpoint: ModelEndpoint;
  /** Role that the state machine runs under: grant it what states of yours do beyond what their own constructs grant. */
  public readonly stateMachineRole: iam.IRole;
  /** Where the step's result belongs, e.g. `$.steps.Features`; later steps read it there. */
  public readonly resultPath: string;
  /** Name for a job of SageMaker, at most 63 characters and another one at each attempt. For one job of the step. */
  public readonly jobName: string;
  /** What `jobName` begins with: lets a policy end there. */
  public readonly jobNamePrefix: string;
  /** As `jobName`, for jobs whose names have at most 32 characters: tuning and AutoML. */
  public readonly shortJobName: string;
  /** What `shortJobName` begins with. */
  public readonly shortJobNamePrefix: string;

  private readonly stepId: string;

  /** Pipelines make it for their steps; tests of steps may too. */
  constructor(props: PipelineStepContextProps) {
    const { endpoint, stepId } = props;
    this.modelName = props.modelName;
    this.platformName = props.platformName;
    this.store = props.store;
    this.endpoint = endpoint;
    this.stateMachineRole = props.stateMachineRole;
    this.stepId = stepId;
    this.resultPath = `$.steps.${stepId}`;
    this.jobName = jobName(`s${props.index}`);
    this.jobNamePrefix = endpoint.endpointName;
    this.shortJobName = shortJobName(endpoint.endpointName);
    this.shortJobNamePrefix = shortPrefix(endpoint.endpointName);
  }

  /**
   * S3 URI below the run's own artifacts, `…/steps/<step>/<name>`, where roles of the pipeline may write.
   *
   * @param name last part of the path
   */
  public outputUri(name: string): string {
    return sfn.JsonPath.format(`{}/steps/${this.stepId}/${name}`, at('$.prepared.modelOutputUri'));
  }
}

/** States of a step. */
export interface PipelineStepConfig {
  /** The states, from the first to those that others follow. They put their result at the context's `resultPath` and leave the rest as it is. */
  readonly states: sfn.IChainable;

  /** Longest time that they may take; the execution's own time grows by it. */
  readonly longest: Duration;
}

/** A step of your own. */
export interface IPipelineStep {
  /** Name of the step in the run's record and of its result, `$.steps.<stepId>`: letters, digits and `_`, first a letter, at most 40. */
  readonly stepId: string;

  /**
   * Makes the states, once for each pipeline that has the step.
   *
   * @param scope scope of the states; their ids are their names, so they differ from those of all other states
   * @param context what the step may know of the pipeline
   */
  bind(scope: Construct, context: PipelineStepContext): PipelineStepConfig;
}
