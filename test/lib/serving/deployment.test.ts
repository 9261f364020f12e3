import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import fc from 'fast-check';
import { ArtifactStore } from '../../../lib/artifacts/artifact-store';
import { deploymentTimeoutSeconds, deploymentWaitSeconds, LONGEST_EXECUTION_SECONDS } from '../../../lib/serving/contract';
import { Deployment } from '../../../lib/serving/deployment';
import { ModelEndpoint } from '../../../lib/serving/model-endpoint';
import { Serving } from '../../../lib/serving/serving';

const realTime = (deployment?: Deployment) => Serving.realTime({ instanceType: 'ml.m5.large', deployment })._toSpec().deployment;
const serverless = (deployment?: Deployment) => Serving.serverless({ deployment })._toSpec().deployment;

test('without a choice all traffic moves at once; instances bake and are watched, serverless endpoints know neither', () => {
  const rest = { strategy: 'ALL_AT_ONCE', maximumErrorShare: 0.05, smokeRows: 10 };
  expect(realTime()).toEqual({ ...rest, bakeSeconds: 300, watchSeconds: 3600 });
  expect(serverless()).toEqual({ ...rest, bakeSeconds: 0, watchSeconds: 0 });
});

test('what is stated stands in the spec in SageMaker’s units', () => {
  const deployment = Deployment.canary({
    stepPercentage: 25,
    wait: Duration.minutes(10),
    bake: Duration.minutes(15),
    maximumErrorShare: 0.01,
    maximumLatency: Duration.millis(250),
    watch: Duration.hours(2),
    smokeRows: 5,
  });
  expect(realTime(deployment)).toEqual({
    strategy: 'CANARY',
    stepPercentage: 25,
    waitSeconds: 600,
    bakeSeconds: 900,
    maximumErrorShare: 0.01,
    maximumLatencyMicroseconds: 250_000,
    watchSeconds: 7200,
    smokeRows: 5,
  });
  expect(realTime(Deployment.rolling())).toMatchObject({ strategy: 'ROLLING', stepPercentage: 25, waitSeconds: 300, bakeSeconds: 0 });
});

describe('synth refuses what SageMaker would refuse', () => {
  test.each<[string, () => unknown, RegExp]>([
    ['a canary on a serverless endpoint', () => serverless(Deployment.canary()), /deployment: SageMaker updates serverless endpoints all at once/],
    ['baking on one', () => serverless(Deployment.allAtOnce({ bake: Duration.minutes(1) })), /keeps no old fleet/],
    ['a canary of more than half', () => realTime(Deployment.canary({ stepPercentage: 51 })), /must be between 1 and 50, got 51/],
    ['steps of less than a tenth', () => realTime(Deployment.linear({ stepPercentage: 9 })), /must be between 10 and 50, got 9/],
    ['batches of less than 5 percent', () => realTime(Deployment.rolling({ batchPercentage: 4 })), /must be between 5 and 50, got 4/],
    ['a wait of more than an hour', () => realTime(Deployment.canary({ wait: Duration.minutes(61) })), /deployment\.wait: .*got 3660/],
    ['baking for more than an hour', () => realTime(Deployment.allAtOnce({ bake: Duration.hours(2) })), /deployment\.bake: .*got 7200/],
    [
      'more waits than SageMaker has patience',
      () => realTime(Deployment.linear({ stepPercentage: 10, wait: Duration.hours(1) })),
      /deployment: SageMaker gives a deployment up after 8 hours.*got 635 minutes/,
    ],
    ['a share of errors that is none', () => realTime(Deployment.allAtOnce({ maximumErrorShare: 5 })), /maximumErrorShare: .*below 1, got 5/],
    ['half a smoke request', () => realTime(Deployment.allAtOnce({ smokeRows: 0.5 })), /smokeRows: rows are counted in whole numbers/],
    ['watching for a month', () => realTime(Deployment.allAtOnce({ watch: Duration.days(30) })), /deployment\.watch: /],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message);
  });

  test('all problems in one message', () => {
    const make = () => realTime(Deployment.canary({ stepPercentage: 60, wait: Duration.hours(2), smokeRows: 1000 }));
    expect(make).toThrow(/3 problems/);
  });
});

test('SageMaker’s patience is always longer than the waits, and within what it takes', () => {
  const minutes = fc.integer({ min: 0, max: 60 });
  fc.assert(
    fc.property(fc.boolean(), fc.integer({ min: 10, max: 50 }), minutes, minutes, (canary, step, wait, bake) => {
      try {
        const options = { stepPercentage: step, wait: Duration.minutes(wait), bake: Duration.minutes(bake) };
        const spec = realTime(canary ? Deployment.canary(options) : Deployment.linear(options));
        expect(deploymentTimeoutSeconds(spec)).toBeGreaterThan(deploymentWaitSeconds(spec));
        expect(deploymentTimeoutSeconds(spec)).toBeLessThanOrEqual(LONGEST_EXECUTION_SECONDS);
        expect(deploymentTimeoutSeconds(spec)).toBeGreaterThanOrEqual(600);
      } catch (error) {
        if (!/gives a deployment up after 8 hours/.test((error as Error).message)) throw error;
      }
    }),
  );
});

test('the role of an endpoint on instances may look at the alarms of its own configurations alone', () => {
  const stack = new Stack(new App(), 'Stack', { env: { account: '111122223333', region: 'eu-west-1' } });
  const store = new ArtifactStore(stack, 'Store');
  const serving = Serving.realTime({ instanceType: 'ml.m5.large' });
  new ModelEndpoint(stack, 'Endpoint', { modelName: 'Demand', platformName: 'mlops', serving, store });
  Template.fromStack(stack).hasResourceProperties('AWS::IAM::Role', {
    AssumeRolePolicyDocument: Match.objectLike({ Statement: [Match.objectLike({ Principal: { Service: 'sagemaker.amazonaws.com' } })] }),
    Policies: [
      Match.objectLike({
        PolicyDocument: {
          Statement: Match.arrayWith([
            Match.objectLike({
              Action: 'cloudwatch:DescribeAlarms',
              Resource: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':cloudwatch:eu-west-1:111122223333:alarm:mlops-demand-*']] },
            }),
          ]),
        },
      }),
    ],
  });
});
