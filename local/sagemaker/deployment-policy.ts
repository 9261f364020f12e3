import type { CapacitySize, DeploymentConfig } from '@aws-sdk/client-sagemaker';
import type { EndpointConfigRecord } from './endpoint-configs';
import { invalid } from './errors';

/** One move of traffic to the new fleet and the wait behind it, in the seconds of the request. */
export interface Step {
  /** Of all requests, 0 to 1. */
  readonly share: number;
  readonly waitSeconds: number;
}

export interface Plan {
  readonly steps: readonly Step[];
  /** How long the old fleet is kept once the new one has all traffic. */
  readonly terminationSeconds: number;
  readonly limitSeconds: number;
  /** The old fleet shrinks as the new one grows. */
  readonly rolling: boolean;
}

type Sizes = Pick<EndpointConfigRecord, 'variants' | 'serverless'>;

/** What a deployment does step by step; nothing said is all at once. */
export function planOf(deployment: DeploymentConfig | undefined, target: Sizes): Plan {
  const rolling = deployment?.RollingUpdatePolicy;
  const limitSeconds = (rolling ?? deployment?.BlueGreenUpdatePolicy)?.MaximumExecutionTimeoutInSeconds ?? Infinity;
  const instances = Math.min(...target.variants.map(({ InitialInstanceCount }) => InitialInstanceCount ?? 1));
  if (rolling) {
    const batch = Math.max(1, Math.floor(shareOf(rolling.MaximumBatchSize!, instances) * instances + 1e-9));
    const steps = rising(batch / instances).map((share) => ({ share, waitSeconds: rolling.WaitIntervalInSeconds! }));
    return { steps, terminationSeconds: 0, limitSeconds, rolling: true };
  }
  const policy = deployment?.BlueGreenUpdatePolicy;
  const routing = policy?.TrafficRoutingConfiguration;
  const wait = routing?.WaitIntervalInSeconds ?? 0;
  const shares =
    routing?.Type === 'CANARY' ? [shareOf(routing.CanarySize!, instances), 1]
    : routing?.Type === 'LINEAR' ? rising(shareOf(routing.LinearStepSize!, instances))
    : [1];
  // The interval lies between two steps; behind the last one the old fleet waits for its termination.
  const steps = shares.map((share, index) => ({ share, waitSeconds: index < shares.length - 1 ? wait : 0 }));
  return { steps, terminationSeconds: policy?.TerminationWaitInSeconds ?? 0, limitSeconds, rolling: false };
}

const shareOf = ({ Type, Value }: CapacitySize, instances: number): number => (Type === 'INSTANCE_COUNT' ? Value! / instances : Value! / 100);

const rising = (step: number): number[] => {
  const count = Math.ceil(1 / step - 1e-9);
  return Array.from({ length: count }, (_, index) => Math.min(1, step * (index + 1)));
};

/** Refuses what deployment guardrails refuse; the old configuration is absent when the endpoint is made. */
export function checkDeployment(deployment: DeploymentConfig | undefined, next: Sizes, old?: Sizes): void {
  if (!deployment) return;
  const { BlueGreenUpdatePolicy: blueGreen, RollingUpdatePolicy: rolling } = deployment;
  if (blueGreen && rolling) throw invalid('Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be specified in DeploymentConfig');
  const routing = blueGreen?.TrafficRoutingConfiguration;
  const shifting = rolling !== undefined || (routing !== undefined && routing.Type !== 'ALL_AT_ONCE');
  if (shifting && (next.serverless || old?.serverless)) {
    throw invalid(`${rolling ? 'RollingUpdatePolicy' : 'Traffic shifting'} is not supported for serverless endpoints`);
  }
  if (rolling && (next.variants.length > 1 || (old?.variants.length ?? 1) > 1)) {
    throw invalid('RollingUpdatePolicy is not supported for endpoints with multiple production variants');
  }
  if (old && names(old) !== names(next)) {
    throw invalid(`Production variant names must stay the same with a DeploymentConfig: ${names(old)} became ${names(next)}`);
  }
  checkSizes(deployment, next);
  checkTimes(deployment, next);
}

const names = ({ variants }: Sizes): string => variants.map(({ VariantName }) => VariantName).sort().join(', ');

function checkSizes({ BlueGreenUpdatePolicy: blueGreen, RollingUpdatePolicy: rolling }: DeploymentConfig, next: Sizes): void {
  const routing = blueGreen?.TrafficRoutingConfiguration;
  const owned = [
    ['CANARY', 'CanarySize', routing?.CanarySize],
    ['LINEAR', 'LinearStepSize', routing?.LinearStepSize],
  ] as const;
  for (const [type, field, size] of owned) {
    if (routing?.Type === type && !size) throw invalid(`${field} must be specified when the traffic routing type is ${type}`);
    if (routing?.Type !== type && size) throw invalid(`${field} can only be specified when the traffic routing type is ${type}`);
  }
  within('CanarySize', routing?.CanarySize, 0, next);
  within('LinearStepSize', routing?.LinearStepSize, 10, next);
  within('MaximumBatchSize', rolling?.MaximumBatchSize, 5, next);
}

function within(field: string, size: CapacitySize | undefined, leastPercent: number, next: Sizes): void {
  if (!size) return;
  for (const { VariantName, InitialInstanceCount = 1 } of next.variants) {
    const percent = shareOf(size, InitialInstanceCount) * 100;
    if (percent >= leastPercent && percent <= 50) continue;
    const range = leastPercent > 0 ? `between ${leastPercent}% and 50%` : 'less than or equal to 50%';
    throw invalid(`${field} must be ${range} of the instance count of variant ${VariantName} (${InitialInstanceCount})`);
  }
}

function checkTimes(deployment: DeploymentConfig, next: Sizes): void {
  const { steps, terminationSeconds, limitSeconds } = planOf(deployment, next);
  const waits = steps.reduce((sum, { waitSeconds }) => sum + waitSeconds, terminationSeconds);
  if (limitSeconds > waits) return;
  throw invalid(`MaximumExecutionTimeoutInSeconds (${limitSeconds}) must be larger than the total waiting time of the deployment (${waits})`);
}
