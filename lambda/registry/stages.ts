import { Stage } from '../../lib/registry/contract';
import type { ModelRow, VersionRow } from './records';
import type { RegistryStore } from './registry-store.client';

/** A version that goes to another stage, or nowhere where it is deleted. */
export interface StageMove {
  readonly row: VersionRow;
  readonly to: Stage | undefined;
}

/** Newest version of each stage once the moves are made; only a stage that loses its newest is searched. */
export const latestAfter = async (store: RegistryStore, model: ModelRow, moves: readonly StageMove[]): Promise<ModelRow['latest']> => {
  const moved = new Set(moves.map(({ row }) => row.version));
  const latest: Partial<Record<Stage, number>> = { ...model.latest };
  for (const stage of new Set(moves.filter(({ row }) => model.latest[row.stage] === row.version).map(({ row }) => row.stage))) {
    delete latest[stage];
    for await (const { version } of store.versionsInStage(model.modelId, stage)) {
      if (moved.has(version)) continue;
      latest[stage] = version;
      break;
    }
  }
  for (const { row, to } of moves) if (to !== undefined) latest[to] = Math.max(latest[to] ?? 0, row.version);
  return latest;
};
