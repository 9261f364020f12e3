import type { HistoryEntry } from '../../lib/registry/contract';

/** A move of the champion pointer, as the history tells it. */
type Move = HistoryEntry & { readonly version: number };

const isMove = (entry: HistoryEntry): entry is Move => (entry.action === 'Promoted' || entry.action === 'RolledBack') && entry.version !== undefined;

/** Moves of the champion pointer, oldest first. */
export const championMoves = (history: readonly HistoryEntry[]): Move[] => history.filter(isMove);

/**
 * Version that served last before the one that serves now and was good: nobody rolled back from it since it began to serve. Undefined where there is
 * none.
 */
export const lastGood = (history: readonly HistoryEntry[]): number | undefined => {
  const served: number[] = [];
  const bad = new Set<number>();
  for (const { action, version, previousChampion } of championMoves(history)) {
    if (action === 'RolledBack' && previousChampion !== undefined) bad.add(previousChampion);
    bad.delete(version);
    served.push(version);
  }
  for (const { action, version } of history) if (action === 'VersionDeleted' && version !== undefined) bad.add(version);
  const serving = served.at(-1);
  return served.reverse().find((version) => version !== serving && !bad.has(version));
};
