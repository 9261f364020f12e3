import { Task } from '../common/task';
import { Monitoring } from '../monitoring/monitoring';
import { Approval } from '../pipeline/approval/approval';
import { Gate } from '../pipeline/gate';
import { PermutationImportance } from '../pipeline/permutation-importance';
import { PipelineSteps } from '../pipeline/steps/pipeline-steps';
import { Training } from '../pipeline/training';
import { VersionRule } from '../registry/version-rule';
import { Retraining } from '../retraining/retraining';
import { Serving } from '../serving/serving';

/** A model and its loop, one line per question. */
export interface ModelOptions {
  /** What does it predict? */
  readonly task: Task;

  /** How is it trained? */
  readonly training: Training;

  /**
   * When is a candidate good enough?
   *
   * @default - it must not be worse than the champion by the task's first metric: rmse or accuracy
   */
  readonly gate?: Gate;

  /**
   * How important is each feature for a candidate? Told in the gate's report, by a sample of the holdout.
   *
   * @default PermutationImportance.sampled()
   */
  readonly permutationImportance?: PermutationImportance;

  /** Who lets a candidate that passed the gate serve? Stated for every model: nothing goes live by default. */
  readonly approval: Approval;

  /**
   * Which steps of yours does the pipeline have?
   *
   * @default PipelineSteps.standard()
   */
  readonly steps?: PipelineSteps;

  /**
   * What does an hour of one instance cost, in US dollars, by type such as `ml.m5.large`? Then the cost of each run is on record. No price is known
   * by itself: they differ between regions and contracts.
   *
   * @default - costs are not recorded, only the seconds that are billed
   */
  readonly instancePrices?: { [instanceType: string]: number };

  /**
   * Who answers for it? Stands in the registry, with every change of it on record.
   *
   * @default - nobody is named
   */
  readonly owner?: string;

  /**
   * What must a version have before it is approved, rejected or serves?
   *
   * @default - what the table of transitions asks for
   */
  readonly registryRules?: VersionRule[];

  /** How are predictions made? */
  readonly serving: Serving;

  /** In which windows is it watched, against what, and with how many false alarms? */
  readonly monitoring: Monitoring;

  /** What is a cause to train it again? */
  readonly retraining: Retraining;
}
