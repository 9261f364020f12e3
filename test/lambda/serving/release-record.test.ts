import { failed } from '../../../lambda/serving/release-failure';
import { ReleaseRecord } from '../../../lambda/serving/release-record';
import { NAME, request, World } from '../../fakes/release-world';

const world = async () => {
  const all = new World();
  await all.approve(1);
  const { registry, evidence } = all;
  const files = { putJson: async (uri: string, value: unknown) => (evidence.set(uri, value), { uri, bytes: 1, etag: 'e' }) };
  const record = new ReleaseRecord({ model: 'Demand', endpointName: NAME }, { registry, files });
  const version = () => registry.getVersion('Demand', 1);
  const entries = async () => (await registry.history('Demand')).filter(({ action }) => action === 'TagSet');
  return { registry, evidence, record, version, entries };
};

const failure = failed('v1', 'v0', 'smoke request to version 1, request noon: expected 3, got 4');

test('a failed release is on the record of its version with its evidence; the version stays approved, so that a redrive can promote it', async () => {
  const { record, version, entries, evidence, registry } = await world();
  await record.failed(request(1, null, {}), failure);
  expect(await version()).toMatchObject({ state: 'Approved', tags: { 'mlops.release': `failed: ${failure.reason}` } });
  const evidenceUri = 's3://reports/gate/Demand/run-1/release-v1.json';
  expect(await entries()).toMatchObject([{ version: 1, actor: 'pipeline', reason: `release failed (run run-1): ${failure.reason}`, evidenceUri }]);
  expect(evidence.get(evidenceUri)).toMatchObject({ outcome: 'failed', wanted: 'v1', found: 'v0', reason: failure.reason, redriveCount: 0 });
  await registry.promote('Demand', 1, { actor: 'pipeline', reason: 'released after all', expectedChampion: null });
  expect(await version()).toMatchObject({ state: 'Production' });
});

test('each redrive that fails has an entry and evidence of its own; the same failure twice is one', async () => {
  const { record, version, entries, evidence } = await world();
  await record.failed(request(1, null, {}), failure);
  await record.failed(request(1, null, {}), failure);
  expect(await entries()).toHaveLength(1);
  await record.failed(request(1, null, { redriveCount: 1 }), failure);
  expect(await entries()).toHaveLength(2);
  expect((await version()).tags['mlops.release']).toMatch(/^failed in redrive 1: /);
  expect([...evidence.keys()].at(-1)).toBe('s3://reports/gate/Demand/run-1/release-v1-1.json');
});

test('a release that goes well after one that failed says so, and one that never failed says nothing', async () => {
  const { record, version, entries } = await world();
  await record.released(request(1, null, {}));
  expect(await entries()).toHaveLength(0);
  await record.failed(request(1, null, {}), failure);
  await record.released(request(1, null, { redriveCount: 1 }));
  await record.released(request(1, null, { redriveCount: 1 }));
  expect((await version()).tags['mlops.release']).toBe('released');
  expect(await entries()).toHaveLength(2);
});
