import fc from 'fast-check';
import { nextEpisodes, RuleAlarm } from '../../../../lambda/monitoring/drift/episodes';
import type { Episode } from '../../../../lib/monitoring/contract';
import { DAY, specOf, START } from './samples';

const spec = specOf();
const drift = (alarming: boolean, judged = true): RuleAlarm => ({ rule: 'drift', key: 'drift', alarming, judged });
const begun = nextEpisodes([], [drift(true)], 3, START, spec);

/** Windows one after the other; answers how many episodes began. */
function follow(windows: readonly RuleAlarm[]): { count: number; open: readonly Episode[] } {
  return windows.reduce<{ count: number; open: readonly Episode[] }>(({ count, open }, alarm, index) => {
    const next = nextEpisodes(open, [alarm], 3, START + index * DAY, spec);
    return { count: count + next.begun.length, open: next.open };
  }, { count: 0, open: [] });
}

describe('episodes', () => {
  it('begin with the first alarm, named by rule, version and first window', () => {
    expect(begun.begun).toEqual([
      { id: 'drift-v3-20250101T000000Z', rule: 'drift', key: 'drift', version: 3, since: '2025-01-01T00:00:00.000Z', windows: 1, quiet: 0 },
    ]);
    expect(begun.open).toEqual(begun.begun);
    const groups: RuleAlarm = { rule: 'groups', key: 'sex:equalizedOddsDifference', alarming: true, judged: true };
    expect(nextEpisodes([], [groups], 3, START, spec).begun[0].id).toBe('groups-sex:equalizedOddsDifference-v3-20250101T000000Z');
  });

  it('go on while alarms come before as many quiet windows as the persistence looks back', () => {
    const [yes, no] = [drift(true), drift(false)];
    expect(follow([yes, yes, no, no, yes])).toMatchObject({ count: 1, open: [{ windows: 3, quiet: 0 }] });
    expect(follow([yes, no, no, no])).toEqual({ count: 1, open: [] });
    expect(follow([yes, no, no, no, yes]).count).toBe(2);
    expect(follow([no, no])).toEqual({ count: 0, open: [] });
  });

  it('are neither continued nor ended by a window without a verdict', () => {
    expect(nextEpisodes(begun.open, [drift(false, false)], 3, START + DAY, spec)).toEqual({ open: begun.open, begun: [] });
    expect(nextEpisodes([], [drift(true, false)], 3, START, spec).begun).toEqual([]);
    expect(follow([drift(true), drift(false), drift(false), drift(false, false), drift(false, false)]).open).toHaveLength(1);
  });

  it('end with a new version and with their rule', () => {
    const next = nextEpisodes(begun.open, [drift(true)], 4, START + DAY, spec);
    expect(next.begun.map(({ version }) => version)).toEqual([4]);
    expect(next.open).toEqual(next.begun);
    expect(nextEpisodes(begun.open, [drift(false)], 4, START + DAY, spec).open).toEqual([]);
    expect(nextEpisodes(begun.open, [], 3, START + DAY, spec).open).toEqual([]);
  });

  it('of different rules do not touch each other', () => {
    const rmse = (alarming: boolean): RuleAlarm => ({ rule: 'quality', key: 'rmse', alarming, judged: true });
    const { open } = nextEpisodes(begun.open, [drift(false), rmse(true)], 3, START + DAY, spec);
    expect(open.map(({ key, quiet }) => [key, quiet])).toEqual([['drift', 1], ['rmse', 0]]);
  });

  it('never begin more often than windows alarm', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.boolean(), fc.boolean()), { maxLength: 40 }), (windows) => {
      const alarms = windows.map(([alarming, judged]) => drift(alarming, judged));
      expect(follow(alarms).count).toBeLessThanOrEqual(alarms.filter(({ alarming, judged }) => alarming && judged).length);
    }));
  });
});
