import fc from 'fast-check';
import { canonicalJson, chainEntry, HistoryDraft, NO_HISTORY, verifyChain } from '../../../lambda/registry/history';
import { HistoryEntry } from '../../../lib/registry/contract';

const drafts: fc.Arbitrary<HistoryDraft[]> = fc.array(
  fc.record(
    {
      actor: fc.string(),
      action: fc.constantFrom('Registered' as const, 'Approved' as const, 'Promoted' as const),
      version: fc.integer({ min: 1, max: 99 }),
      toState: fc.constantFrom('PendingApproval' as const, 'Approved' as const, 'Production' as const),
      reason: fc.string(),
      evidenceUri: fc.string(),
    },
    { requiredKeys: ['actor', 'action', 'version', 'toState', 'reason'] },
  ),
  { minLength: 1, maxLength: 8 },
);

const chain = (all: readonly HistoryDraft[], clock: (index: number) => string = () => '2026-01-01T00:00:00.000Z'): HistoryEntry[] => {
  const entries: HistoryEntry[] = [];
  for (const [index, draft] of all.entries()) entries.push(chainEntry('model', entries.at(-1) ?? NO_HISTORY, draft, clock(index)));
  return entries;
};

const shuffled = (value: object): object => Object.fromEntries(Object.entries(value).reverse());

test('equal values have one text, whatever the order of their keys', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value));
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
  expect(canonicalJson({ b: undefined, a: [1, undefined] })).toBe('{"a":[1,null]}');
});

test('a chain verifies, whatever order the store gives the attributes', async () => {
  await fc.assert(
    fc.asyncProperty(drafts, async (all) => {
      const entries = chain(all);
      const stored = entries.map((entry) => shuffled(entry) as HistoryEntry);
      expect(await verifyChain('model', entries[entries.length - 1], stored)).toEqual({ intact: true, entries: entries.length });
    }),
  );
});

test('any change of any attribute of any entry is found', async () => {
  await fc.assert(
    fc.asyncProperty(drafts, fc.nat(), fc.nat(), async (all, at, which) => {
      const entries = chain(all);
      const index = at % entries.length;
      const names = Object.keys(entries[index]) as (keyof HistoryEntry)[];
      const name = names[which % names.length];
      const forged = entries.map((entry, position) => (position === index ? { ...entry, [name]: `${entry[name]}x` } : entry)) as HistoryEntry[];
      expect((await verifyChain('model', entries[entries.length - 1], forged)).intact).toBe(false);
    }),
  );
});

test('any missing entry is found, the last one too, and so is a second history written from the start', async () => {
  await fc.assert(
    fc.asyncProperty(drafts, fc.nat(), async (all, at) => {
      const entries = chain(all);
      const head = entries[entries.length - 1];
      const cut = entries.filter((_, index) => index !== at % entries.length);
      expect((await verifyChain('model', head, cut)).intact).toBe(false);
      const rewritten = chain(all.map((draft) => ({ ...draft, actor: `${draft.actor}x` })));
      expect((await verifyChain('model', head, rewritten)).problem).toContain('is not the one that the model was last changed with');
    }),
  );
});

test('times never run backwards, whatever the clocks of the writers say', () => {
  const clocks = ['2026-01-01T00:00:02.000Z', '2026-01-01T00:00:01.000Z', '2026-01-01T00:00:03.000Z'];
  const draft: HistoryDraft = { actor: 'ana', action: 'Registered', version: 1, toState: 'PendingApproval', reason: '' };
  expect(chain([draft, draft, draft], (index) => clocks[index]).map(({ at }) => at)).toEqual([clocks[0], clocks[0], clocks[2]]);
});
