import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as destinations from 'aws-cdk-lib/aws-lambda-destinations';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ArtifactStore } from '../artifacts/artifact-store';
import { LABELS_ROOT } from '../artifacts/contract';
import { COMMON_ENV } from '../common/contract';
import { PlatformFunction } from '../common/function';
import { EVENTS, EVENT_SOURCE } from '../retraining/contract';
import { DELIVERY } from '../retraining/governor-target';

export interface LabelRecorderProps {
  readonly platformName: string;
  readonly store: ArtifactStore;
  readonly bus: events.IEventBus;
  readonly deadLetters: sqs.IQueue;
}

/**
 * Writes labels that come as events to where the monitors of all models look for them.
 *
 * @internal
 */
export class LabelRecorder extends Construct {
  public readonly function: lambda.Function;

  constructor(scope: Construct, id: string, { platformName, store, bus, deadLetters }: LabelRecorderProps) {
    super(scope, id);
    this.function = new PlatformFunction(this, 'Function', {
      handler: 'monitoring/record-labels',
      description: 'Records labels that come as events',
      environment: { [COMMON_ENV.platform]: platformName },
      memorySize: 256,
    });
    store.grantWritePredictions(this.function, LABELS_ROOT);
    this.function.configureAsyncInvoke({ onFailure: new destinations.SqsDestination(deadLetters), retryAttempts: 2, maxEventAge: Duration.hours(1) });
    new events.Rule(this, 'Rule', {
      eventBus: bus,
      description: `Labels of the models of ${platformName}`,
      eventPattern: { source: [EVENT_SOURCE], detailType: [EVENTS.labelsObserved], detail: { platform: [platformName] } },
      targets: [new targets.LambdaFunction(this.function, { deadLetterQueue: deadLetters, ...DELIVERY })],
    });
  }
}
