import type { DeploymentConfig, ProductionVariant } from '@aws-sdk/client-sagemaker';
import fc from 'fast-check';
import { checkDeployment, planOf } from '../../../local/sagemaker/deployment-policy';

const config = (count = 4, names = ['v'], serverless = false) => ({
  serverless,
  variants: names.map((VariantName): ProductionVariant => ({ VariantName, ModelName: 'm', InitialInstanceCount: serverless ? undefined : count })),
});

const percent = (Value: number) => ({ Type: 'CAPACITY_PERCENT', Value }) as const;
const instances = (Value: number) => ({ Type: 'INSTANCE_COUNT', Value }) as const;
const blueGreen = (routing: object, more: object = {}): DeploymentConfig => ({
  BlueGreenUpdatePolicy: { TrafficRoutingConfiguration: { WaitIntervalInSeconds: 60, ...routing } as never, ...more },
});
const rolling = (MaximumBatchSize: object, more: object = {}): DeploymentConfig => ({
  RollingUpdatePolicy: { MaximumBatchSize, WaitIntervalInSeconds: 60, ...more } as never,
});
const shares = (deployment: DeploymentConfig | undefined, count = 4) => planOf(deployment, config(count)).steps.map(({ share }) => share);

describe('the plan of a deployment', () => {
  test('is all at once where nothing is said, and waits only before the old fleet goes', () => {
    const steps = [{ share: 1, waitSeconds: 0 }];
    expect(planOf(undefined, config())).toEqual({ steps, terminationSeconds: 0, limitSeconds: Infinity, rolling: false });
    const plan = planOf(blueGreen({ Type: 'ALL_AT_ONCE' }, { TerminationWaitInSeconds: 300 }), config());
    expect(plan).toMatchObject({ steps: [{ share: 1, waitSeconds: 0 }], terminationSeconds: 300 });
  });

  test('canary goes in two steps with a wait between them', () => {
    const { steps } = planOf(blueGreen({ Type: 'CANARY', CanarySize: instances(1) }), config(4));
    expect(steps).toEqual([{ share: 0.25, waitSeconds: 60 }, { share: 1, waitSeconds: 0 }]);
    expect(shares(blueGreen({ Type: 'CANARY', CanarySize: percent(10) }))).toEqual([0.1, 1]);
  });

  test.each([
    [percent(50), [0.5, 1]],
    [percent(30), [0.3, 0.6, 0.9, 1]],
    [instances(1), [0.25, 0.5, 0.75, 1]],
  ])('linear by %j', (size, expected) => {
    shares(blueGreen({ Type: 'LINEAR', LinearStepSize: size })).forEach((share, index) => expect(share).toBeCloseTo(expected[index], 9));
  });

  test('rolling goes by whole instances, one at least, and watches every batch', () => {
    const plan = planOf(rolling(percent(50)), config(5));
    expect(plan.steps.map(({ share }) => Math.round(share * 5))).toEqual([2, 4, 5]);
    expect(plan).toMatchObject({ rolling: true, terminationSeconds: 0, steps: [{ waitSeconds: 60 }, { waitSeconds: 60 }, { waitSeconds: 60 }] });
    expect(shares(rolling(percent(5)), 4)).toEqual([0.25, 0.5, 0.75, 1]);
  });

  test('always rises and always ends with all traffic on the new fleet', () => {
    const sizes = fc.oneof(fc.integer({ min: 10, max: 50 }).map(percent), fc.integer({ min: 1, max: 5 }).map(instances));
    const policies = sizes.chain((size) =>
      fc.constantFrom(
        blueGreen({ Type: 'LINEAR', LinearStepSize: size }),
        blueGreen({ Type: 'CANARY', CanarySize: size }),
        rolling(size),
      ),
    );
    fc.assert(
      fc.property(policies, fc.integer({ min: 10, max: 12 }), (policy, count) => {
        const found = shares(policy, count);
        expect(found[found.length - 1]).toBeCloseTo(1, 9);
        found.forEach((share, index) => expect(share).toBeGreaterThan(index === 0 ? 0 : found[index - 1]));
      }),
    );
  });
});

describe('deployments that guardrails refuse', () => {
  const whole = { ...blueGreen({ Type: 'ALL_AT_ONCE' }), ...rolling(percent(50)) };
  test.each([
    ['two policies', whole, config(), config(), /Only one of/],
    ['rolling on serverless', rolling(percent(50)), config(1, ['v'], true), config(), /not supported for serverless/],
    ['canary from serverless', blueGreen({ Type: 'CANARY', CanarySize: percent(10) }), config(), config(1, ['v'], true), /not supported for server/],
    ['rolling with several variants', rolling(percent(50)), config(4, ['a', 'b']), config(4, ['a', 'b']), /multiple production variants/],
    ['another variant name', blueGreen({ Type: 'ALL_AT_ONCE' }), config(4, ['a']), config(4, ['b']), /must stay the same/],
    ['a canary without size', blueGreen({ Type: 'CANARY' }), config(), config(), /CanarySize must be specified/],
    ['a linear step without size', blueGreen({ Type: 'LINEAR' }), config(), config(), /LinearStepSize must be specified/],
    ['a size of another type', blueGreen({ Type: 'ALL_AT_ONCE', CanarySize: percent(10) }), config(), config(), /only be specified/],
    ['a canary above half', blueGreen({ Type: 'CANARY', CanarySize: percent(60) }), config(), config(), /less than or equal to 50%/],
    ['a canary of the only instance', blueGreen({ Type: 'CANARY', CanarySize: instances(1) }), config(1), config(1), /less than or equal to 50%/],
    ['a small linear step', blueGreen({ Type: 'LINEAR', LinearStepSize: percent(5) }), config(), config(), /between 10% and 50%/],
    ['a small batch', rolling(percent(4)), config(), config(), /between 5% and 50%/],
    [
      'a limit within the waits',
      blueGreen(
        { Type: 'LINEAR', LinearStepSize: percent(25), WaitIntervalInSeconds: 300 },
        { TerminationWaitInSeconds: 60, MaximumExecutionTimeoutInSeconds: 960 },
      ),
      config(),
      config(),
      /must be larger than the total waiting time of the deployment \(960\)/,
    ],
  ])('%s', (_, deployment, next, old, message) => expect(() => checkDeployment(deployment, next, old)).toThrow(message));

  test('everything else goes through', () => {
    checkDeployment(undefined, config(1, ['b']), config(1, ['a']));
    checkDeployment(rolling(percent(50), { MaximumExecutionTimeoutInSeconds: 600 }), config(), config());
    checkDeployment(blueGreen({ Type: 'ALL_AT_ONCE' }), config(1, ['v'], true), config(1, ['v'], true));
  });
});
