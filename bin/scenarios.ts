import * as path from 'node:path';
import { CfnOutput, Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { Approval, Deployment, Framework, Gate, type ModelOptions, Serving, Training } from 'cdk-mlops';

/** What a scenario of the demo answers otherwise than the app: `cdk deploy -c scenario=NAME` deploys the same. */
const SCENARIOS: Readonly<Record<string, (scope: Construct) => Partial<ModelOptions>>> = {
  /** What is told of it lies in the data alone. */
  'bad-candidate': () => ({}),

  /** Four instances, of which one takes requests for the new version first. */
  'canary-rollback': () => ({
    gate: Gate.notWorseThanChampion({ metric: 'rmse', margin: 0.2 }),
    serving: Serving.realTime({
      instanceType: 'ml.m5.large',
      initialInstanceCount: 4,
      deployment: Deployment.canary({ stepPercentage: 25, wait: Duration.minutes(10), bake: Duration.minutes(5) }),
    }),
  }),

  /** Whoever may take the role in this account decides. */
  'manual-approval': (scope) => {
    const role = new iam.Role(scope, 'ModelApprover', { assumedBy: new iam.AccountRootPrincipal(), description: 'Decides which version may serve' });
    new CfnOutput(scope, 'ModelApproverRole', { value: role.roleArn });
    return { approval: Approval.manual({ expiry: Duration.days(2), approvers: [role] }) };
  },

  /** Many small steps instead of a few large ones, so that there is something to lose; a second thread would wait for the first at each. */
  'spot-interruption': () => ({
    training: Training.script({
      directory: path.resolve('examples/bike-sharing/training'),
      entryPoint: 'train.py',
      framework: Framework.xgboost('3.0-5'),
      hyperparameters: { rounds: '6000', eta: '0.03', 'max-depth': '4', threads: '1', 'checkpoint-rounds': '100' },
      metricDefinitions: [
        { name: 'rounds-from-checkpoint', regex: 'rounds-from-checkpoint=([0-9]+);' },
        { name: 'rounds', regex: ' rounds=([0-9]+);' },
      ],
      maxRuntime: Duration.hours(1),
      spot: { maxWait: Duration.hours(4) },
    }),
  }),
};

/** Options of the model in a scenario; none without a name. */
export const optionsOf = (name: string | undefined, scope: Construct): Partial<ModelOptions> => {
  if (name === undefined) return {};
  const options = SCENARIOS[name];
  if (!options) throw new Error(`there is no scenario '${name}': choose one of ${Object.keys(SCENARIOS).join(', ')}, or leave the context out`);
  return options(scope);
};
