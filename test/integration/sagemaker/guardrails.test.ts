import { setTimeout as sleep } from 'node:timers/promises';
import { Bench, type Description, archiveOf, configRequest, modelRequest } from './support';

jest.setTimeout(60_000);

/** Answers with its word, or fails where it is told so. */
const saying = (word: string) => ({
  'inference.py': [
    'def model_fn(directory):\n    return None',
    'def transform_fn(model, body, content_type, accept):',
    '    if body == "fail":\n        raise RuntimeError("no")',
    `    return '${word}', 'text/plain'`,
  ].join('\n'),
});

const policy = (routing: object, more: object = {}) => ({
  BlueGreenUpdatePolicy: { TrafficRoutingConfiguration: { WaitIntervalInSeconds: 0, Type: 'ALL_AT_ONCE', ...routing }, ...more },
});
const alarms = { AutoRollbackConfiguration: { Alarms: [{ AlarmName: 'errors' }] } };
const half = { Type: 'CAPACITY_PERCENT', Value: 50 };

describe('deployment guardrails', () => {
  let bench: Bench;

  beforeAll(async () => {
    bench = await Bench.start(0.1, 0.01);
    bench.engine.put('artifacts/models/any/output/model.tar.gz', archiveOf({ nothing: '' }));
    for (const word of ['red', 'blue']) {
      await bench.call('CreateModel', modelRequest(word, 'any', { SAGEMAKER_SUBMIT_DIRECTORY: bench.code(word, saying(word)) }));
      const [variant] = configRequest(word, word).ProductionVariants;
      const ProductionVariants = [{ ...variant, InitialInstanceCount: 4 }];
      await bench.call('CreateEndpointConfig', configRequest(`${word}-config`, word, { ProductionVariants }));
    }
    await bench.call('CreateEndpoint', { EndpointName: 'e', EndpointConfigName: 'red-config' });
    await bench.settled('e');
  });
  afterAll(() => bench.stop());
  beforeEach(() => {
    bench.engine.alarmState = 'OK';
    bench.engine.alarmsForbidden = false;
  });

  const update = (EndpointConfigName: string, DeploymentConfig?: object) => ({ EndpointName: 'e', EndpointConfigName, DeploymentConfig });
  const described = () => bench.call('DescribeEndpoint', { EndpointName: 'e' });
  const word = async () => (await bench.invoke('e', '')).text();
  const pending = async (): Promise<Description | undefined> => (await described()).PendingDeploymentSummary as Description | undefined;
  const phase = async (status: string) => {
    for (;;) {
      const summary = await pending();
      const [variant] = (summary?.ProductionVariants ?? []) as Array<{ VariantStatus?: Array<{ Status: string }> }>;
      if (variant?.VariantStatus?.[0].Status === status) return variant;
      await sleep(10);
    }
  };
  const serving = async () => (await bench.settled('e')).EndpointConfigName;

  test('the old fleet is kept for the termination wait and takes all traffic back when an alarm trips in it', async () => {
    bench.engine.events.length = 0;
    await bench.call('UpdateEndpoint', update('blue-config', { ...policy({}, { TerminationWaitInSeconds: 3000 }), ...alarms }));
    await phase('Baking');
    expect(await described()).toMatchObject({ EndpointStatus: 'Updating', EndpointConfigName: 'red-config' });
    expect(new Set(await Promise.all(Array.from({ length: 8 }, word)))).toEqual(new Set(['blue']));
    bench.engine.alarmState = 'ALARM';
    expect(await bench.settled('e')).toMatchObject({
      EndpointStatus: 'InService',
      EndpointConfigName: 'red-config',
      FailureReason: expect.stringContaining('(errors)'),
    });
    expect(await word()).toBe('red');
    const told = await bench.told('Endpoint', 3);
    expect(told.map(({ EndpointStatus }) => EndpointStatus)).toEqual(['UPDATING', 'ROLLING_BACK', 'IN_SERVICE']);
    const phases = (await bench.told('Endpoint Deployment', 3)).map(({ PendingDeploymentSummary }) => {
      const { ProductionVariants } = PendingDeploymentSummary as { ProductionVariants: Array<{ VariantStatus: Array<{ Status: string }> }> };
      return ProductionVariants[0].VariantStatus[0].Status;
    });
    expect(phases).toEqual(['Creating', 'ActivatingTraffic', 'Baking']);
  });

  test('a rolling update moves capacity batch by batch and ends on the new configuration', async () => {
    const RollingUpdatePolicy = { MaximumBatchSize: { Type: 'INSTANCE_COUNT', Value: 1 }, WaitIntervalInSeconds: 60 };
    await bench.call('UpdateEndpoint', update('blue-config', { RollingUpdatePolicy }));
    const counts = new Set<string>();
    for (;;) {
      const { EndpointStatus, ProductionVariants, PendingDeploymentSummary } = await described();
      if (EndpointStatus === 'InService') break;
      const [old] = ProductionVariants as Description[];
      const [next] = ((PendingDeploymentSummary as Description).ProductionVariants ?? []) as Description[];
      counts.add(`${old.CurrentInstanceCount}+${next.CurrentInstanceCount}`);
      await sleep(20);
    }
    expect([...counts]).toEqual(['4+0', '3+1', '2+2', '1+3', '0+4']);
    expect(await word()).toBe('blue');
    await bench.call('UpdateEndpoint', update('red-config'));
    expect(await serving()).toBe('red-config');
  });

  test('scaled waits still leave an alarm the time to go off', async () => {
    // 20 s are 0.2 s here: an alarm would never be looked at twice.
    const canary = { Type: 'CANARY', CanarySize: half, WaitIntervalInSeconds: 20 };
    const began = Date.now();
    await bench.call('UpdateEndpoint', update('blue-config', { ...policy(canary), ...alarms }));
    await phase('Baking');
    await sleep(1000);
    bench.engine.alarmState = 'ALARM';
    expect(await serving()).toBe('red-config');
    expect(Date.now() - began).toBeLessThan(10_000);
  });

  test('an alarm that is in ALARM from the start, and a deployment that takes too long, go back', async () => {
    bench.engine.alarmState = 'ALARM';
    await bench.call('UpdateEndpoint', update('blue-config', { ...policy({}), ...alarms }));
    expect(await serving()).toBe('red-config');
    bench.engine.alarmState = 'OK';
    await bench.faulty('UpdateEndpoint', update('blue-config', policy({}, { MaximumExecutionTimeoutInSeconds: 600 })), 'timeout');
    expect(await bench.settled('e')).toMatchObject({
      EndpointConfigName: 'red-config',
      FailureReason: 'The deployment exceeded MaximumExecutionTimeoutInSeconds (600).',
    });
  });

  test('alarms that are not there, or that the role may not see, are refused', async () => {
    const unknown = { AutoRollbackConfiguration: { Alarms: [{ AlarmName: 'none' }] } };
    const refused = async (more: object) => (await bench.refused('UpdateEndpoint', update('blue-config', { ...policy({}), ...more }))).message;
    expect(await refused(unknown)).toContain('Could not find CloudWatch alarms none');
    bench.engine.alarmsForbidden = true;
    expect(await refused(alarms)).toContain('cannot describe the alarms');
    expect(await refused({ RollingUpdatePolicy: { MaximumBatchSize: half, WaitIntervalInSeconds: 0 } })).toContain('Only one of');
  });

  test('requests are measured by configuration too, so that an alarm can watch the new fleet alone', async () => {
    bench.engine.metrics.length = 0;
    await bench.invoke('e', 'fail');
    for (;;) {
      const failures = bench.engine.metrics.filter(({ name, value }) => name === 'Invocation5XXErrors' && value === 1);
      const found = failures.map(({ dimensions }) => dimensions);
      if (found.length === 2) {
        expect(found).toEqual([['e', 'AllTraffic'], ['e', 'AllTraffic', 'red-config']]);
        break;
      }
      await sleep(50);
    }
  });

  test('deployments fail, and containers die, on demand', async () => {
    await bench.faulty('UpdateEndpoint', update('blue-config'), 'fail');
    expect(await bench.settled('e')).toMatchObject({ EndpointConfigName: 'red-config', FailureReason: expect.stringContaining('fault rule') });
    await bench.faulty('UpdateEndpoint', update('blue-config'), 'kill');
    expect(await bench.settled('e')).toMatchObject({ EndpointConfigName: 'red-config', FailureReason: expect.stringContaining('ping health check') });
    await bench.faulty('CreateEndpoint', { EndpointName: 'f', EndpointConfigName: 'red-config' }, 'fail');
    expect(await bench.settled('f')).toMatchObject({ EndpointStatus: 'Failed', FailureReason: expect.stringContaining('fault rule') });
    expect(await word()).toBe('red');
  });
});
