import { LineageClient } from '../../../lambda/tracking/lineage.client';
import type { LineageNode } from '../../../lib/tracking/contract';
import { MemoryDynamo } from '../../fakes/memory-dynamo';

const data: LineageNode = { kind: 'data', id: 'd' };
const run: LineageNode = { kind: 'run', id: 'r' };
const version: LineageNode = { kind: 'version', id: 'Bikes/3' };
const other: LineageNode = { kind: 'version', id: 'Bikes/30' };

test('an edge is found from both of its ends, and recorded once', async () => {
  const dynamo = new MemoryDynamo();
  const lineage = new LineageClient('runs', dynamo.client());
  await lineage.link(data, run, '2026-01-01T00:00:00Z');
  await lineage.link(run, version, '2026-01-02T00:00:00Z');
  await lineage.link(run, version, '2030-01-01T00:00:00Z');
  await Promise.all([lineage.link(run, other, '2026-01-03T00:00:00Z'), lineage.link(run, other, '2026-01-03T00:00:00Z')]);
  expect(await lineage.from(version)).toEqual([{ node: run, at: '2026-01-02T00:00:00Z' }]);
  expect(await lineage.to(run)).toEqual([{ node: version, at: '2026-01-02T00:00:00Z' }, { node: other, at: '2026-01-03T00:00:00Z' }]);
  expect(await lineage.from(run)).toEqual([{ node: data, at: '2026-01-01T00:00:00Z' }]);
  expect(await lineage.to(version)).toEqual([]);
  expect(dynamo.items('runs')).toHaveLength(6);
});
