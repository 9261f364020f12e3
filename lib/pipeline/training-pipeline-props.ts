import * as events from 'aws-cdk-lib/aws-events';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { ArtifactStore } from '../artifacts/artifact-store';
import { Task } from '../common/task';
import { ModelMonitor } from '../monitoring/model-monitor';
import { IModelRegistry } from '../registry/model-registry';
import { VersionRule } from '../registry/version-rule';
import { ModelEndpoint } from '../serving/model-endpoint';
import { IRunTracker } from '../tracking/run-tracker';
import { Approval } from './approval/approval';
import { Gate } from './gate';
import { PermutationImportance } from './permutation-importance';
import { PipelineSteps } from './steps/pipeline-steps';
import { Training } from './training';

/** Properties of a training pipeline. */
export interface TrainingPipelineProps {
  /** Name of the model. */
  readonly modelName: string;

  /** Name of the platform. */
  readonly platformName: string;

  /** What the model predicts. */
  readonly task: Task;

  /** How the model is trained. */
  readonly training: Training;

  /**
   * What a candidate has to prove.
   *
   * @default - it must not be worse than the champion by the task's first metric: rmse, accuracy
   */
  readonly gate?: Gate;

  /**
   * Which holdout rows are scored once more to find out how important each feature is for the candidate.
   *
   * @default PermutationImportance.sampled()
   */
  readonly permutationImportance?: PermutationImportance;

  /**
   * Who lets a version that has passed the gate serve.
   *
   * @default - none: synth refuses a pipeline that does not state it, since nothing goes live by default
   */
  readonly approval?: Approval;

  /**
   * Steps of your own in the pipeline.
   *
   * @default PipelineSteps.standard()
   */
  readonly steps?: PipelineSteps;

  /**
   * Who answers for the model; stands in the registry.
   *
   * @default - nobody is named
   */
  readonly owner?: string;

  /**
   * What a version must have before it is approved, rejected or serves.
   *
   * @default - what the table of transitions asks for
   */
  readonly registryRules?: VersionRule[];

  /**
   * What an hour of one instance costs, in US dollars, by type such as `ml.m5.large`: then the cost of each run and step is on record. AWS's prices
   * differ between regions and contracts and change; the pages of SageMaker's prices and the Price List API state them. Each type that the training
   * uses has to be named; one that only a step of yours uses and that is not leaves the cost of its runs unknown.
   *
   * @default - costs are not recorded, only the seconds that are billed
   */
  readonly instancePrices?: { [instanceType: string]: number };

  /** Where the model answers. */
  readonly endpoint: ModelEndpoint;

  /** Makes the baseline of each version. */
  readonly monitor: ModelMonitor;

  /** Where data, models and reports lie. */
  readonly store: ArtifactStore;

  /** Where versions are registered. */
  readonly registry: IModelRegistry;

  /** Where runs are recorded. */
  readonly tracker: IRunTracker;

  /** Bus that the pipeline's events go to. */
  readonly bus: events.IEventBus;

  /**
   * Takes status events of runs that could not be handled. The pipelines of a stack with the same registry, tracker and bus share the first one's.
   *
   * @default - a new queue
   */
  readonly deadLetters?: sqs.IQueue;
}
