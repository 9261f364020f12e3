import path from 'node:path';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Approval, Deployment, Framework, MlOpsPlatform, Monitoring, Retraining, Serving, Task, Training, Trigger } from '../../../lib';
import { SERVING_ENV } from '../../../lib/serving/contract';

const build = (servings: Readonly<Record<string, Serving>>): Template => {
  const stack = new Stack(new App(), 'Stack', { env: { account: '111122223333', region: 'eu-west-1' } });
  const platform = new MlOpsPlatform(stack, 'MlOps');
  for (const [name, serving] of Object.entries(servings)) {
    platform.addModel(name, {
      task: Task.regression({ target: 'y' }),
      training: Training.script({
        directory: path.join(__dirname, '../../integration/fragile-model/training'),
        entryPoint: 'train.py',
        framework: Framework.scikitLearn('1.4-2'),
      }),
      approval: Approval.automatic(),
      serving,
      monitoring: Monitoring.every(Duration.days(1)),
      retraining: Retraining.on([Trigger.quality({ metric: 'rmse', worseThan: 10 })], { cooldown: Duration.days(7) }),
    });
  }
  return Template.fromStack(stack);
};

const instances = (deployment?: Deployment): Serving => Serving.realTime({ instanceType: 'ml.m5.large', deployment });
const rules = (template: Template) =>
  Object.values(template.findResources('AWS::Events::Rule')).filter(({ Properties }) => Properties.EventPattern?.source?.[0] === 'aws.cloudwatch');
const watchers = (template: Template) =>
  Object.values(template.findResources('AWS::Lambda::Function')).filter(({ Properties }) => Properties.Environment?.Variables?.[SERVING_ENV.watched]);

test('one function and one rule watch all models that ask for it, by the names of their configurations’ alarms', () => {
  const never = Deployment.canary({ watch: Duration.seconds(0) });
  const template = build({ One: instances(), Two: instances(), Three: Serving.serverless(), Four: instances(never) });
  expect(rules(template).map(({ Properties }) => Properties.EventPattern)).toEqual([
    {
      source: ['aws.cloudwatch'],
      'detail-type': ['CloudWatch Alarm State Change'],
      detail: { alarmName: [{ prefix: 'mlops-one-v' }, { prefix: 'mlops-two-v' }], state: { value: ['ALARM'] } },
    },
  ]);
  const [{ Properties }] = watchers(template);
  const watched = JSON.stringify(Properties.Environment.Variables[SERVING_ENV.watched]);
  for (const part of ['mlops-one', 'mlops-two', 'watchSeconds', '3600']) expect(watched).toContain(part);
  for (const part of ['mlops-three', 'mlops-four']) expect(watched).not.toContain(part);
  const DestinationConfig = { OnFailure: Match.anyValue() };
  template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', { MaximumEventAgeInSeconds: 3600, DestinationConfig });
});

test('nothing of it is there where no model asks for it', () => {
  const template = build({ One: Serving.serverless() });
  expect(rules(template)).toEqual([]);
  expect(watchers(template)).toEqual([]);
});

test('a serverless endpoint is watched where its deployment says so', () => {
  expect(rules(build({ One: Serving.serverless({ deployment: Deployment.allAtOnce({ watch: Duration.minutes(30) }) }) }))).toHaveLength(1);
});
