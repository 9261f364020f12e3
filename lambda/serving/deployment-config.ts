import type { BlueGreenUpdatePolicy, DeploymentConfig } from '@aws-sdk/client-sagemaker';
import { type DeploymentSpec, deploymentTimeoutSeconds, type ServingSpec } from '../../lib/serving/contract';

const percent = (Value: number | undefined) => ({ Type: 'CAPACITY_PERCENT' as const, Value });

/** How SageMaker moves an endpoint to a new version; undefined for serverless endpoints, which know no such thing. */
export const deploymentConfig = ({ kind, deployment }: ServingSpec, alarmNames: readonly string[]): DeploymentConfig | undefined => {
  if (kind === 'SERVERLESS') return undefined;
  const { strategy, stepPercentage, waitSeconds = 0 } = deployment;
  const timeout = { MaximumExecutionTimeoutInSeconds: deploymentTimeoutSeconds(deployment) };
  const policy: DeploymentConfig =
    strategy === 'ROLLING'
      ? { RollingUpdatePolicy: { MaximumBatchSize: percent(stepPercentage), WaitIntervalInSeconds: waitSeconds, ...timeout } }
      : { BlueGreenUpdatePolicy: { ...blueGreen(deployment), TerminationWaitInSeconds: deployment.bakeSeconds, ...timeout } };
  return { ...policy, AutoRollbackConfiguration: { Alarms: alarmNames.map((AlarmName) => ({ AlarmName })) } };
};

const blueGreen = ({ strategy, stepPercentage, waitSeconds = 0 }: DeploymentSpec): BlueGreenUpdatePolicy => {
  const wait = { WaitIntervalInSeconds: waitSeconds };
  if (strategy === 'CANARY') return { TrafficRoutingConfiguration: { Type: 'CANARY', CanarySize: percent(stepPercentage), ...wait } };
  if (strategy === 'LINEAR') return { TrafficRoutingConfiguration: { Type: 'LINEAR', LinearStepSize: percent(stepPercentage), ...wait } };
  return { TrafficRoutingConfiguration: { Type: 'ALL_AT_ONCE', WaitIntervalInSeconds: 0 } };
};

/** Back to what has proven itself: at once, without waiting for anything. */
export const rollbackConfig = ({ kind }: Pick<ServingSpec, 'kind'>): DeploymentConfig | undefined =>
  kind === 'SERVERLESS'
    ? undefined
    : {
        BlueGreenUpdatePolicy: {
          TrafficRoutingConfiguration: { Type: 'ALL_AT_ONCE', WaitIntervalInSeconds: 0 },
          TerminationWaitInSeconds: 0,
        },
      };
