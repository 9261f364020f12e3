import type { ModelRegistryClient } from '../../../lambda/registry/model-registry.client';
import type { Change } from '../../../lambda/registry/registry-writes';
import { REGISTRY_ERRORS } from '../../../lib/registry/contract';
import { MemoryDynamo } from '../../fakes/memory-dynamo';
import { register, registryOver, versionRecord } from '../../fakes/registry';

const by: Change = { actor: 'arn:aws:sts::111122223333:assumed-role/DataScience/ana', reason: 'because' };
const bob: Change = { actor: 'arn:aws:sts::111122223333:assumed-role/Approver/bob', reason: 'because' };

let dynamo: MemoryDynamo;
let registry: ModelRegistryClient;
let sent: string[];

beforeEach(() => {
  dynamo = new MemoryDynamo();
  registry = registryOver(dynamo.client());
  sent = [];
  dynamo.before = (command) => void sent.push(command.constructor.name.replace('Command', ''));
});

const plain = async (name: string, versions = 1): Promise<void> => {
  await registry.createModel({ name }, by);
  for (let count = 0; count < versions; count += 1) await registry.createVersion(name, { source: `s3://models/${name}` }, by);
};

/** A pipeline's model whose version 1 serves. */
const serving = async (name: string): Promise<void> => {
  await register(registry, name, versionRecord('run-1'));
  await registry.transition(name, 1, 'Approved', by);
  await registry.promote(name, 1, { actor: 'pipeline', reason: 'in service' });
};

const forbidden = (rule: string) => ({ name: REGISTRY_ERRORS.forbidden, message: expect.stringContaining(rule) as string });
const invalid = { name: REGISTRY_ERRORS.invalid };
const notFound = { name: REGISTRY_ERRORS.notFound };

describe('a version of any origin', () => {
  test('is always registered, and what its record lacks is named', async () => {
    await plain('M');
    const version = await registry.getVersion('M', 1);
    expect(version).toMatchObject({ version: 1, state: 'Incomplete', stage: 'None', tags: {}, aliases: [], source: 's3://models/M' });
    expect(version.missing).toContain('artifact');
    expect(version.missing).toContain('configuration');
  });

  test('is complete where its record is', async () => {
    await registry.createModel({ name: 'M' }, by);
    const { record } = { record: versionRecord('run-9') };
    const version = await registry.createVersion('M', { source: 's3://x', record }, by);
    expect(version).toMatchObject({ ...record, state: 'PendingApproval', missing: [], runId: 'run-9' });
    expect((await registry.versionsOfRun('run-9')).map(({ model }) => model)).toEqual(['M']);
  });

  test('of a deleted number leaves that number unused, and its aliases go', async () => {
    await plain('M', 2);
    await registry.setAlias('M', 'best', 2, by);
    await registry.deleteVersion('M', 2, by);
    await expect(registry.getVersion('M', 2)).rejects.toMatchObject(notFound);
    await expect(registry.deleteVersion('M', 2, by)).rejects.toMatchObject(notFound);
    await expect(registry.getByAlias('M', 'best')).rejects.toMatchObject({ ...invalid, message: 'Registered model alias best not found.' });
    expect((await registry.createVersion('M', { source: 's3://x' }, by)).version).toBe(3);
    expect((await registry.listVersions('M')).items.map(({ version }) => version)).toEqual([3, 1]);
  });

  test('that nobody may make is refused: no source, half a character, a value beyond the limits', async () => {
    await plain('M');
    await expect(registry.createVersion('M', { source: ' ' }, by)).rejects.toMatchObject(invalid);
    await expect(registry.createVersion('M', { source: 's3://\ud800' }, by)).rejects.toMatchObject(invalid);
    await expect(registry.createVersion('Other', { source: 's3://x' }, by)).rejects.toMatchObject(notFound);
    await expect(registry.setVersionTag('M', 1, 'k', 'x'.repeat(100_001), by)).rejects.toMatchObject(invalid);
    await expect(registry.setVersionTag('M', 1, '', 'x', by)).rejects.toMatchObject(invalid);
    const big = versionRecord('run-1', { hyperparameters: { big: 'x'.repeat(1_000_001) } });
    await expect(registry.createVersion('M', { source: 's3://x', record: big }, by)).rejects.toMatchObject(invalid);
  });
});

describe('names are claims on models', () => {
  test('a model that is made again is another one, and begins at version 1', async () => {
    await plain('M', 2);
    const first = await registry.getModel('M');
    await registry.deleteModel('M', by);
    await expect(registry.getModel('M')).rejects.toMatchObject({ ...notFound, message: 'Registered Model with name=M not found' });
    expect(await registry.versionsOfRun('run-1')).toEqual([]);
    expect((await registry.listModels()).items).toEqual([]);
    await plain('M');
    const second = await registry.getModel('M');
    expect(second.modelId).not.toBe(first.modelId);
    expect(second.formerIds).toEqual([first.modelId]);
    expect((await registry.listVersions('M')).items.map(({ version }) => version)).toEqual([1]);
    expect((await registry.historyOf(first.modelId)).map(({ action }) => action)).toEqual(['Created', 'Registered', 'Registered', 'Deleted']);
    expect(await registry.verifyHistoryOf(first.modelId)).toEqual({ intact: true, entries: 4 });
    expect(await registry.verifyHistory('M')).toEqual({ intact: true, entries: 2 });
  });

  test('a renamed model takes everything along and frees its name', async () => {
    await registry.createModel({ name: 'Old', tags: { team: 'x' }, description: 'about' }, by);
    const record = versionRecord('run-1');
    await registry.createVersion('Old', { source: 's3://x', record, tags: { a: 'b' } }, by);
    await registry.setAlias('Old', 'champion', 1, by);
    const renamed = await registry.renameModel('Old', 'New', by);
    expect(renamed).toMatchObject({ name: 'New', tags: { team: 'x' }, description: 'about', aliases: { champion: 1 } });
    expect(await registry.champion('New')).toMatchObject({ model: 'New', version: 1, tags: { a: 'b' }, aliases: ['champion'] });
    expect(await registry.champion('Old')).toBeUndefined();
    expect((await registry.byDigest(record.artifact.sha256)).items.map(({ model }) => model)).toEqual(['New']);
    expect((await registry.byTag('a', 'b')).items.map(({ model }) => model)).toEqual(['New']);
    expect((await registry.modelsByTag('team', 'x')).items.map(({ name }) => name)).toEqual(['New']);
    expect((await registry.history('New')).at(-1)).toMatchObject({ action: 'Renamed', change: { from: 'Old', to: 'New' } });
    expect((await registry.createModel({ name: 'Old' }, by)).modelId).not.toBe(renamed.modelId);
    await expect(registry.renameModel('New', 'Old', by)).rejects.toMatchObject({ name: REGISTRY_ERRORS.exists });
    expect((await registry.listModels()).items.map(({ name }) => name)).toEqual(['New', 'Old']);
  });

  test.each(['', ' ', 'a/b', 'a:b', '..', '..x', '.', 'x'.repeat(257), '\udc00'])('%j is none', async (name) => {
    await expect(registry.createModel({ name }, by)).rejects.toMatchObject(invalid);
  });

  test.each(['ä b', '模型', '😀'.repeat(256), '__proto__', "it's", 'a.b-c'])('%j is one', async (name) => {
    await registry.createModel({ name, tags: { __proto__x: '1' } }, by);
    expect((await registry.getModel(name)).name).toBe(name);
    expect((await registry.listModels()).items).toHaveLength(1);
  });
});

describe('aliases', () => {
  test('move at will on a model that nobody manages, champion too', async () => {
    await plain('M', 2);
    await registry.setAlias('M', 'champion', 1, by);
    await registry.setAlias('M', 'champion', 2, by);
    await registry.setAlias('M', 'champion', 2, by);
    expect((await registry.champion('M'))?.version).toBe(2);
    await registry.setAlias('M', 'other', 2, by);
    expect((await registry.champion('M'))?.aliases).toEqual(['champion', 'other']);
    await registry.deleteAlias('M', 'champion', by);
    await registry.deleteAlias('M', 'champion', by);
    expect(await registry.champion('M')).toBeUndefined();
    expect((await registry.history('M')).filter(({ action }) => action.startsWith('Alias'))).toHaveLength(4);
  });

  test.each(['', 'latest', 'LATEST', 'v1', 'V22', 'a b', 'a.b', 'x'.repeat(256)])('%j is none', async (alias) => {
    await plain('M');
    await expect(registry.setAlias('M', alias, 1, by)).rejects.toMatchObject(invalid);
  });

  test('need their version', async () => {
    await plain('M');
    await expect(registry.setAlias('M', 'a', 2, by)).rejects.toMatchObject(notFound);
    await expect(registry.getByAlias('Other', 'a')).rejects.toMatchObject(notFound);
    await registry.setAlias('M', '__proto__', 1, by);
    expect((await registry.getVersion('M', 1)).aliases).toEqual(['__proto__']);
  });
});

describe('tags and descriptions', () => {
  test('of any size come back as they were given, and go when they are deleted', async () => {
    await plain('M');
    const long = '😀'.repeat(100_000);
    await registry.setVersionTag('M', 1, 'long', long, by);
    await registry.setVersionTag('M', 1, '__proto__', 'short', by);
    await registry.updateVersion('M', 1, { description: 'd'.repeat(90_000) }, by);
    const version = await registry.getVersion('M', 1);
    expect(Object.entries(version.tags)).toEqual([['long', long], ['__proto__', 'short']]);
    expect(version.description).toHaveLength(90_000);
    expect((await registry.byTag('long', long)).items).toEqual([version]);
    await registry.setVersionTag('M', 1, 'long', 'now short', by);
    expect((await registry.getVersion('M', 1)).tags.long).toBe('now short');
    expect((await registry.byTag('long', long)).items).toEqual([]);
    await registry.deleteVersionTag('M', 1, 'long', by);
    await registry.deleteVersionTag('M', 1, 'long', by);
    await registry.updateVersion('M', 1, { description: '' }, by);
    expect(await registry.getVersion('M', 1)).toMatchObject({ tags: {}, description: undefined });
    expect((await registry.history('M')).filter(({ action }) => action === 'TagDeleted')).toHaveLength(1);
  });

  test('come by thousands', async () => {
    const tags = Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`key ${index}`, 'v'.repeat(index % 300)]));
    await registry.createModel({ name: 'M', tags }, by);
    await registry.createVersion('M', { source: 's3://x', tags }, by);
    expect((await registry.getModel('M')).tags).toEqual(tags);
    expect((await registry.getVersion('M', 1)).tags).toEqual(tags);
    expect((await registry.byTag('key 7', 'v'.repeat(7))).items).toHaveLength(1);
    expect(await registry.history('M')).toHaveLength(2);
  });

  test('are on record, long ones by their digest; the same value again is no change', async () => {
    await plain('M');
    await registry.setModelTag('M', 'k', 'x'.repeat(5_000), by);
    await registry.setModelTag('M', 'k', 'x'.repeat(5_000), by);
    await registry.setModelTag('M', 'k', 'y', by);
    const told = (await registry.history('M')).slice(2).map(({ action, change }) => [action, change]);
    expect(told).toEqual([
      ['TagSet', { what: 'tag k', to: expect.stringMatching(/^sha256:[0-9a-f]{64} \(5000 characters\)$/) }],
      ['TagSet', { what: 'tag k', from: expect.stringMatching(/^sha256:/), to: 'y' }],
    ]);
  });
});

describe('stages', () => {
  test('archive what was there on demand, however much, and tell the newest of each', async () => {
    await plain('M', 120);
    for (let version = 1; version <= 110; version += 1) await registry.setStage('M', version, 'Staging', false, by);
    expect((await registry.latestVersions('M')).map(({ stage, version }) => [stage, version])).toEqual([['None', 120], ['Staging', 110]]);
    await registry.setStage('M', 120, 'Staging', true, by);
    expect((await registry.listVersions('M', { limit: 200 })).items.filter(({ stage }) => stage === 'Archived')).toHaveLength(110);
    const latest = await registry.latestVersions('M');
    expect(latest.map(({ stage, version }) => [stage, version])).toEqual([['None', 119], ['Staging', 120], ['Archived', 110]]);
    await registry.deleteVersion('M', 119, by);
    expect((await registry.latestVersions('M', ['None'])).map(({ version }) => version)).toEqual([118]);
    await expect(registry.setStage('M', 1, 'Archived', true, by)).rejects.toMatchObject(invalid);
    await expect(registry.setStage('M', 1, 'Nowhere' as never, false, by)).rejects.toMatchObject(invalid);
  });

  test('of a pipeline\'s model follow its promotions', async () => {
    await serving('M');
    expect(await registry.getVersion('M', 1)).toMatchObject({ stage: 'Production', state: 'Production' });
    await register(registry, 'M', versionRecord('run-2'));
    await expect(registry.setStage('M', 2, 'Production', false, by)).rejects.toMatchObject(forbidden('Production is what was promoted'));
    await registry.setStage('M', 2, 'Staging', false, by);
    await registry.transition('M', 2, 'Approved', by);
    await registry.promote('M', 2, by);
    expect((await registry.latestVersions('M')).map(({ stage, version }) => [stage, version])).toEqual([['Production', 2], ['Archived', 1]]);
  });
});

describe('what serves of a pipeline\'s model', () => {
  test('moves by promotion alone and cannot be taken away', async () => {
    await serving('M');
    await registry.createVersion('M', { source: 's3://x' }, by);
    await expect(registry.setAlias('M', 'champion', 2, by)).rejects.toMatchObject(forbidden('moves by promotion alone'));
    await expect(registry.deleteAlias('M', 'champion', by)).rejects.toMatchObject(forbidden('moves by promotion alone'));
    await expect(registry.deleteVersion('M', 1, by)).rejects.toMatchObject(forbidden('what serves stays'));
    await expect(registry.deleteModel('M', by)).rejects.toMatchObject(forbidden('stays while it serves'));
    await expect(registry.renameModel('M', 'N', by)).rejects.toMatchObject(forbidden('has the name that its app states'));
    expect((await registry.champion('M'))?.version).toBe(1);
  });

  test('is complete and comes from the pipeline', async () => {
    const partial = versionRecord('run-1', { configuration: undefined });
    await registry.registerVersion({ name: 'M' }, { source: 's3://x', runId: 'run-1', record: partial }, by);
    const incomplete = { name: REGISTRY_ERRORS.incomplete, message: 'M v1 cannot serve: its record lacks configuration' };
    await expect(registry.transition('M', 1, 'PendingApproval', by)).rejects.toMatchObject(incomplete);
    await expect(registry.promote('M', 1, by)).rejects.toMatchObject(incomplete);
    await registry.createVersion('M', { source: 's3://x', record: versionRecord('run-2') }, by);
    await registry.transition('M', 2, 'Approved', by);
    await expect(registry.promote('M', 2, by)).rejects.toMatchObject(forbidden('only what its pipeline registered serves'));
  });

  test('begins anew where somebody had made the model by hand', async () => {
    await plain('M');
    await registry.setAlias('M', 'champion', 1, by);
    const made = await register(registry, 'M', versionRecord('run-1'));
    expect(made).toMatchObject({ version: 2, state: 'PendingApproval' });
    expect(await registry.getModel('M')).toMatchObject({ managed: true, aliases: {} });
    expect(await registry.champion('M')).toBeUndefined();
    expect((await registry.history('M')).map(({ action }) => action)).toEqual(['Created', 'Registered', 'AliasSet', 'Adopted', 'Registered']);
  });

  test('a model without versions serves nothing, and can be deleted', async () => {
    await registry.createModel({ name: 'M' }, by);
    expect(await registry.champion('M')).toBeUndefined();
    await registry.deleteModel('M', by);
  });
});

describe('rules of a model', () => {
  const rules = [
    { state: 'Approved', twoPerson: true },
    { state: 'Production', evidence: true },
  ] as const;
  const candidate = async (): Promise<void> => {
    await registry.registerVersion(
      { name: 'M', owner: 'team-a', rules },
      { source: 's3://x', runId: 'run-1', record: versionRecord('run-1') },
      { ...by, actor: by.actor },
    );
    await registry.askApproval('M', 1, { round: 0, startedBy: null }, by);
  };

  test('ask for another person, whatever role the same one took', async () => {
    await candidate();
    const rule = forbidden('the rule "two persons for Approved" of M');
    await expect(registry.transition('M', 1, 'Approved', by)).rejects.toMatchObject(rule);
    await expect(registry.transition('M', 1, 'Approved', { ...by, actor: 'arn:aws:sts::1:assumed-role/Approver/ana' })).rejects.toMatchObject(rule);
    expect((await registry.transition('M', 1, 'Approved', bob)).state).toBe('Approved');
  });

  test('ask for a person where only policies and pipelines act', async () => {
    const pipeline: Change = { actor: 'pipeline', reason: '' };
    await registry.registerVersion({ name: 'M', rules }, { source: 's3://x', runId: 'r', record: versionRecord('r') }, pipeline);
    const policy: Change = { actor: 'policy:automatic', reason: '' };
    await expect(registry.transition('M', 1, 'Approved', policy)).rejects.toMatchObject(forbidden('asks for a person'));
    await expect(registry.transition('M', 1, 'Approved', by)).rejects.toMatchObject(forbidden('its run has not asked any yet'));
    await registry.askApproval('M', 1, { round: 0, startedBy: null }, pipeline);
    expect(await registry.transition('M', 1, 'Approved', by)).toMatchObject({ state: 'PendingApproval', approval: { approvedBy: [by.actor] } });
    expect((await registry.transition('M', 1, 'Approved', { ...by, actor: 'arn:aws:sts::1:assumed-role/Other/ana' })).state).toBe('PendingApproval');
    expect((await registry.transition('M', 1, 'Approved', bob)).state).toBe('Approved');
    expect((await registry.history('M')).slice(-3).map(({ action, actor }) => [action, actor])).toEqual([
      ['ApprovalRequested', 'pipeline'],
      ['Endorsed', by.actor],
      ['Approved', bob.actor],
    ]);
  });

  test('take who started the run for the first of two persons', async () => {
    const pipeline: Change = { actor: 'pipeline', reason: '' };
    await registry.registerVersion({ name: 'M', rules }, { source: 's3://x', runId: 'r', record: versionRecord('r') }, pipeline);
    await registry.askApproval('M', 1, { round: 0, startedBy: by.actor }, pipeline);
    await expect(registry.transition('M', 1, 'Approved', by)).rejects.toMatchObject(forbidden(`${by.actor}, who started the run`));
    expect((await registry.transition('M', 1, 'Approved', bob)).state).toBe('Approved');
  });

  test('ask for a person, whoever it is', async () => {
    const pipeline: Change = { actor: 'pipeline', reason: '' };
    const manual = [{ state: 'Approved', person: true }] as const;
    await registry.registerVersion({ name: 'M', rules: manual }, { source: 's3://x', runId: 'r', record: versionRecord('r') }, pipeline);
    const policy: Change = { actor: 'policy:automatic', reason: '' };
    await expect(registry.transition('M', 1, 'Approved', policy)).rejects.toMatchObject(forbidden('"a person for Approved"'));
    expect((await registry.transition('M', 1, 'Approved', by)).state).toBe('Approved');
  });

  test('hold for every judgement anew', async () => {
    await candidate();
    const asked = { ...by, evidenceUri: 's3://reports/second' };
    expect((await registry.transition('M', 1, 'Approved', bob)).state).toBe('Approved');
    await expect(registry.transition('M', 1, 'PendingApproval', bob)).rejects.toMatchObject({ name: REGISTRY_ERRORS.illegalTransition });
    expect((await registry.askApproval('M', 1, { round: 0, startedBy: null }, asked)).state).toBe('Approved');
    const again = await registry.askApproval('M', 1, { round: 1, startedBy: null }, asked);
    expect(again).toMatchObject({ state: 'PendingApproval', approval: { round: 1, approvedBy: [], reportUri: 's3://reports/second' } });
    await expect(registry.promote('M', 1, { ...by, evidenceUri: 's3://x' })).rejects.toMatchObject({ name: REGISTRY_ERRORS.illegalTransition });
    expect((await registry.verifyHistory('M')).intact).toBe(true);
  });

  test('are not passed by through the archive', async () => {
    await candidate();
    await registry.transition('M', 1, 'Archived', bob);
    await expect(registry.promote('M', 1, { ...by, evidenceUri: 's3://x' })).rejects.toMatchObject(forbidden('only what served comes back'));
  });

  test('are looked at in the state that was expected', async () => {
    await candidate();
    await registry.transition('M', 1, 'Approved', bob);
    const late = { ...by, expectedState: 'PendingApproval' } as const;
    await expect(registry.transition('M', 1, 'Rejected', late)).rejects.toMatchObject({ name: REGISTRY_ERRORS.illegalTransition });
    expect((await registry.getVersion('M', 1)).state).toBe('Approved');
  });

  test('ask for evidence', async () => {
    await candidate();
    await registry.transition('M', 1, 'Approved', bob);
    await expect(registry.promote('M', 1, by)).rejects.toMatchObject(forbidden('the rule "evidence for Production" of M'));
    const { champion } = await registry.promote('M', 1, { ...by, evidenceUri: 's3://reports/1' });
    expect(champion.state).toBe('Production');
    expect((await registry.history('M')).at(-1)).toMatchObject({ evidenceUri: 's3://reports/1' });
  });

  test('and owners are what the app states, every change on record', async () => {
    await candidate();
    await registry.registerVersion({ name: 'M', owner: 'team-b', rules: [] }, { source: 's3://x', runId: 'r2', record: versionRecord('r2') }, by);
    expect(await registry.getModel('M')).toMatchObject({ owner: 'team-b', rules: [] });
    const told = (await registry.history('M')).filter(({ action }) => action.endsWith('Changed'));
    expect(told.map(({ action, change }) => [action, change?.what])).toEqual([['OwnerChanged', 'owner'], ['RulesChanged', 'rules']]);
  });
});

describe('questions', () => {
  test('what serves is one read, what served then is one query', async () => {
    await serving('M');
    sent.length = 0;
    await registry.champion('M');
    expect(sent).toEqual(['Get']);
    sent.length = 0;
    expect(await registry.servedAt('M', new Date().toISOString())).toBe(1);
    expect(sent).toEqual(['Get', 'Query']);
    sent.length = 0;
    await registry.listVersions('M');
    expect(sent).toEqual(['Get', 'Query']);
  });

  test('models are listed by name, page by page, names that were given up left out', async () => {
    for (const name of ['c', 'a', 'e', 'b', 'd']) await registry.createModel({ name }, by);
    await registry.deleteModel('b', by);
    dynamo.pageSize = 2;
    const first = await registry.listModels({ limit: 2 });
    const second = await registry.listModels({ limit: 2, cursor: first.cursor });
    expect([first, second].map(({ items }) => items.map(({ name }) => name))).toEqual([['a', 'c'], ['d', 'e']]);
    expect(second.cursor).toBeUndefined();
    await expect(registry.listModels({ cursor: Buffer.from('{"version":1}').toString('base64url') })).rejects.toMatchObject(invalid);
  });

  test('the newest versions of a page of models cost one request for their versions', async () => {
    for (const name of ['a', 'b', 'c']) await plain(name, 2);
    const { items } = await registry.listModels();
    sent.length = 0;
    const latest = await registry.latestOf(items);
    expect([...latest.values()].map((versions) => versions.map(({ version }) => version))).toEqual([[2], [2], [2]]);
    expect(sent).toEqual(['BatchGet', 'BatchGet', 'BatchGet']);
  });
});
