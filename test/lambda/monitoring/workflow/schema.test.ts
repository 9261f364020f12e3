import { captureLine, requestsOf, rows, World } from './world';

test('a client that leaves a column out breaks the rule on columns, also where no row can be used', async () => {
  const world = new World();
  await world.promote(1, '2025-03-01T00:00:00Z');
  const lines = requestsOf(rows(3, '2025-03-30T00:00:00Z', 1, { city: 'rome' })).map((request) => captureLine(request.rows, request.id));
  world.put('2025/03/30/00/a.jsonl', `${lines.join('\n').replaceAll(',rome', '')}\n`);
  const { windows } = await world.run({ windowStart: '2025-03-30T00:00:00Z', windowEnd: '2025-03-31T00:00:00Z' });
  expect(windows[0]).toMatchObject({ rows: 0, driftVerdict: 'no-traffic', constraintsVerdict: 'violated', episodes: ['constraints'] });
  const { constraints, states } = world.result(windows[0]);
  expect(constraints.violations).toContainEqual(expect.objectContaining({ constraint: 'columns', severity: 'error' }));
  expect(states.map(({ state }) => state)).toEqual(['no-traffic', 'changed-schema']);
});
