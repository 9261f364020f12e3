import { handler } from '../../../lambda/monitoring/run-monitor.lambda';
import { MemoryBucket } from '../../fakes/memory-s3';
import { SPEC } from './workflow/world';

Object.assign(process.env, {
  MLOPS_PLATFORM: 'p',
  MLOPS_MONITOR_SPEC: JSON.stringify(SPEC),
  MLOPS_PREDICTIONS_BUCKET: 'predictions',
  MLOPS_REPORTS_BUCKET: 'reports',
  MLOPS_DATA_BUCKET: 'data',
  MLOPS_BUS_NAME: 'bus',
  MLOPS_REGISTRY_TABLE: 'registry',
  MLOPS_HISTORY_TABLE: 'history',
  AWS_REGION: 'us-east-1',
});

jest.mock('../../../lambda/registry/model-registry.client', () => ({
  ModelRegistryClient: class {
    public async history(): Promise<never> {
      throw Object.assign(new Error('Registered Model with name=Rides not found'), { name: 'RegistryNotFound' });
    }
  },
}));

describe('the function of the monitor', () => {
  let installed: jest.SpyInstance;

  beforeEach(() => {
    installed = new MemoryBucket().install();
  });

  afterEach(() => installed.mockRestore());

  test('finds nothing to do for a model that was never trained', async () => {
    expect(await handler({ action: 'plan', request: {} })).toEqual({ windows: [], unchanged: 0 });
  });

  test.each([
    [{ action: 'other' }, /action/],
    [{ action: 'plan' }, /request/],
    [{ action: 'plan', request: { windowEnd: 'now' } }, /ISO 8601/],
    [{ action: 'judge', window: { windowStart: '2025-01-01', windowEnd: 'x', sources: '' } }, /windowStart/],
  ])('refuses %j, naming what is wrong', async (event, message) => {
    await expect(handler(event)).rejects.toThrow(message);
  });
});
