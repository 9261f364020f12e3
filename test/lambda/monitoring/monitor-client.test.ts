import { NamedError } from '../../../lambda/common/errors';
import { MonitorClient } from '../../../lambda/monitoring/monitor.client';
import { REGISTRY_ERRORS } from '../../../lib/registry/contract';
import { MemoryBucket } from '../../fakes/memory-s3';

const clientOf = (history: () => Promise<never[]>): MonitorClient =>
  new MonitorClient('Rides', { predictions: 'p', reports: 'r', data: 'd' }, new MemoryBucket().files(), { history, getVersion: jest.fn() });

test('a model that was deployed but never trained is no failure: nothing has served yet', async () => {
  const unknown = clientOf(async () => Promise.reject(new NamedError(REGISTRY_ERRORS.notFound, 'no model Rides')));
  await expect(unknown.promotions()).resolves.toEqual([]);
});

test('a registry that cannot be read fails the run, instead of looking like a model that never served', async () => {
  const denied = clientOf(async () => Promise.reject(new NamedError('AccessDeniedException', 'no')));
  await expect(denied.promotions()).rejects.toThrow('no');
});

test('requests of the second in which a version was promoted are its own: records tell no fractions', async () => {
  const promoted = clientOf(async () => [{ toState: 'Production', version: 2, at: '2026-03-01T10:00:00.700Z' }] as never);
  await expect(promoted.promotions()).resolves.toEqual([{ version: 2, at: Date.parse('2026-03-01T10:00:00Z') }]);
});
