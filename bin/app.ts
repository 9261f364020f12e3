import * as path from 'node:path';
import { App, Duration, Size, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { optionsOf } from './scenarios';
import { Approval, DriftReference, Framework, Gate, MlOpsPlatform, Monitoring, Retraining, Serving, Task, Training, Trigger } from 'cdk-mlops';

/** The platform with one model: hourly demand for rental bikes, data and script in examples/bike-sharing. */
class MlOpsStack extends Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id, { description: 'The MLOps loop: train, gate, register, deploy, record, watch, retrain' });

    const platform = new MlOpsPlatform(this, 'MlOps', { alarmTopic: alarmTopic(this) });
    platform.addModel('BikeDemand', {
      task: Task.regression({ target: 'cnt', timeColumn: 'timestamp' }),
      training: Training.script({
        directory: path.resolve('examples/bike-sharing/training'),
        entryPoint: 'train.py',
        framework: Framework.xgboost('3.0-5'),
      }),
      gate: Gate.beatsChampion({ metric: 'rmse' }),
      approval: Approval.automatic(),
      serving: Serving.serverless({ memory: Size.gibibytes(2), maxConcurrency: 5 }),
      monitoring: Monitoring.every(Duration.days(7), {
        minimumRows: 100,
        references: [DriftReference.sameSeason(), DriftReference.lastDays(364)],
      }),
      retraining: Retraining.on([Trigger.quality({ metric: 'rmse', worseThan: 100 })], { cooldown: Duration.days(30) }),
      ...optionsOf(this.node.tryGetContext('scenario'), this),
    });
  }
}

/** Subscribe people or tools to it. Its key lets CloudWatch publish, which the key that AWS manages for SNS does not. */
const alarmTopic = (scope: Construct): sns.Topic => {
  const key = new kms.Key(scope, 'AlarmKey', { description: 'Alarms of the MLOps loop', enableKeyRotation: true });
  key.addToResourcePolicy(
    new iam.PolicyStatement({
      principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      resources: ['*'],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  );
  return new sns.Topic(scope, 'Alarms', { displayName: 'Alarms of the MLOps loop', enforceSSL: true, masterKey: key });
};

export const stack = new MlOpsStack(new App(), 'MlOps');
