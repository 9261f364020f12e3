import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Retraining } from './retraining';

/** Properties of a RetrainGovernor. */
export interface RetrainGovernorProps {
  /** Name of the platform whose events are governed: letters, digits and hyphens, first a letter, at most 32. */
  readonly platformName: string;

  /**
   * Bus that causes come by and decisions go to. Not the account's default bus.
   *
   * @default - a new bus
   */
  readonly bus?: events.IEventBus;

  /**
   * How long the events of the bus can be replayed.
   *
   * @default Duration.days(30)
   */
  readonly archiveRetention?: Duration;

  /**
   * Whether the table refuses to be deleted until the protection is lifted.
   *
   * @default - true, false where removalPolicy is DESTROY
   */
  readonly deletionProtection?: boolean;

  /**
   * What happens to the decisions when they leave the stack.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/** A model whose retraining is governed. */
export interface GovernedModelOptions {
  /** Name of the model: letters, digits and hyphens, first a letter, at most 32. */
  readonly modelName: string;
  /** Training pipeline of the model. */
  readonly stateMachine: sfn.IStateMachine;
  /** What is a cause, and how often causes become runs. */
  readonly retraining: Retraining;
}
