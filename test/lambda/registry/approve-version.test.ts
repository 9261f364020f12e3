import { MemoryDynamo } from '../../fakes/memory-dynamo';
import { installWriter, register, registryOver, versionRecord } from '../../fakes/registry';

Object.assign(process.env, { AWS_REGION: 'eu-west-1', MLOPS_PLATFORM: 'mlops', MLOPS_REGISTRY_TABLE: 'registry', MLOPS_HISTORY_TABLE: 'history' });

const dynamo = new MemoryDynamo();
const registry = registryOver(dynamo.client());
let approve: (event: unknown) => Promise<{ readonly state: string }>;

beforeAll(async () => {
  dynamo.install();
  installWriter();
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  ({ handler: approve } = await import('../../../lambda/registry/approve-version.lambda'));
});
afterAll(() => jest.restoreAllMocks());
beforeEach(async () => {
  dynamo.clear();
  await register(registry, 'Demand', versionRecord('run-1'));
});

const about = { model: 'Demand', version: 1, policy: 'automatic', reason: 'better' };
const approvals = async () =>
  (await registry.history('Demand')).filter(({ action }) => action === 'Approved').map(({ actor, evidenceUri }) => [actor, evidenceUri]);

test('the policy that approves is on record with the report, once however often it is asked', async () => {
  for (let attempt = 0; attempt < 2; attempt += 1) expect((await approve(about)).state).toBe('Approved');
  expect(await approvals()).toEqual([['policy:automatic', 's3://reports/gate.json']]);
});

test('another judgement is approved anew, with its own report', async () => {
  await approve(about);
  const again = { ...about, round: 1, reportUri: 's3://reports/gate-1.json' };
  for (let attempt = 0; attempt < 2; attempt += 1) expect((await approve(again)).state).toBe('Approved');
  expect(await approvals()).toEqual([
    ['policy:automatic', 's3://reports/gate.json'],
    ['policy:automatic', 's3://reports/gate-1.json'],
  ]);
});
