import { Duration, Lazy, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as destinations from 'aws-cdk-lib/aws-lambda-destinations';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { ArtifactStore } from '../artifacts/artifact-store';
import { labelsPrefix } from '../artifacts/contract';
import { COMMON_ENV } from '../common/contract';
import { FUNCTION_LOGS, PlatformFunction } from '../common/function';
import { EVENTS, EVENT_SOURCE } from '../retraining/contract';
import { DELIVERY } from '../retraining/governor-target';
import { RetrainGovernor } from '../retraining/retrain-governor';
import { MONITORING_ENV } from './contract';

export interface LabelRecorderProps {
  readonly platformName: string;
  readonly store: ArtifactStore;
  /** Its bus brings the labels; its log and its dead-letter queue take what goes wrong. */
  readonly governor: RetrainGovernor;
}

/**
 * Writes labels that come as events to where the monitors of all models look for them.
 *
 * @internal
 */
export class LabelRecorder extends Construct {
  private readonly function: lambda.Function;
  private readonly models: string[] = [];
  private readonly store: ArtifactStore;

  constructor(scope: Construct, id: string, { platformName, store, governor }: LabelRecorderProps) {
    super(scope, id);
    const { bus, deadLetters } = governor;
    this.store = store;
    this.function = new PlatformFunction(this, 'Function', {
      handler: 'monitoring/record-labels',
      description: 'Records labels that come as events',
      environment: {
        [COMMON_ENV.platform]: platformName,
        [MONITORING_ENV.labelModels]: Lazy.string({ produce: () => Stack.of(this).toJsonString(this.models) }),
      },
      memorySize: 256,
      logGroup: governor.node.tryFindChild(FUNCTION_LOGS) as logs.ILogGroup | undefined,
    });
    this.function.configureAsyncInvoke({ onFailure: new destinations.SqsDestination(deadLetters), retryAttempts: 2, maxEventAge: Duration.hours(1) });
    new events.Rule(this, 'Rule', {
      eventBus: bus,
      description: `Labels of the models of ${platformName}`,
      eventPattern: { source: [EVENT_SOURCE], detailType: [EVENTS.labelsObserved], detail: { platform: [platformName] } },
      targets: [new targets.LambdaFunction(this.function, { deadLetterQueue: deadLetters, ...DELIVERY })],
    });
  }

  /** From now on labels of the model are recorded. */
  public take(modelName: string): void {
    this.models.push(modelName);
    this.store.grantWritePredictions(this.function, labelsPrefix(modelName));
  }
}
