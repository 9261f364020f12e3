import type { Episode, MonitorSpec } from '../../../lib/monitoring/contract';
import { mapConcurrent } from '../../common/concurrent';
import type { Baseline } from '../baseline/types';
import { blockOf } from '../drift/judge';
import { blocksOf, judgedSince, judgedTogether } from '../drift/reference';
import type { Block } from '../drift/types';
import type { MonitorClient, WindowFile } from '../monitor.client';
import { decodeBlocks, encodeBlocks } from '../profile';
import type { Profile } from '../profile/types';
import type { TrendPoint } from '../report/types';
import type { Window } from './windows';

/** What a window leaves for the runs after it, beside its result. */
export const FILES = {
  /** JSON of ReadRange[]: what is known of the objects that were looked at. */
  objects: 'objects.json.gz',
  /** WindowMemory */
  memory: 'memory.json',
  /** Coarse counts under one version's baseline, for references and for what is judged together. */
  block: (runId: string) => `block-${runId}.bin`,
  violations: 'constraint_violations.json',
} as const;

/** Small: later runs read it for many windows. */
export interface WindowMemory {
  readonly version?: number;
  /** Run whose baseline the window was counted under. */
  readonly runId?: string;
  /** Digests of the capture and label objects that the result was made from. */
  readonly captures: string;
  readonly labels: string;
  /** Digest of its quality and groups, and of those of the window before where they are the same ones. */
  readonly labelled?: string;
  readonly takenOver?: string;
  readonly episodes: readonly Episode[];
  readonly trend: TrendPoint;
}

/** What earlier windows tell a later one. */
export interface History {
  /** Open after the last window that was judged, not longer ago than persistence looks back. */
  readonly episodes: readonly Episode[];
  readonly trend: readonly TrendPoint[];
  /** Windows under the baseline, oldest first. */
  readonly blocks: readonly Block[];
}

/** Windows that a report shows. */
const TREND_WINDOWS = 29;
const AT_ONCE = 32;
const DAY = 86_400_000;

export async function history(client: MonitorClient, spec: MonitorSpec, window: Window, baseline?: Baseline): Promise<History> {
  const length = spec.windowSeconds * 1000;
  const found = await client.windowFiles(FILES.memory, window.start - TREND_WINDOWS * length, window.start);
  const memories = await mapConcurrent(found, AT_ONCE, ({ uri }) => client.json<WindowMemory>(uri));
  const last = found.at(-1);
  const isNear = last !== undefined && last.end > window.start - spec.persistence.windows * length;
  return {
    episodes: (isNear && memories.at(-1)?.episodes) || [],
    trend: memories.flatMap((memory) => (memory === undefined ? [] : [memory.trend])),
    blocks: baseline === undefined ? [] : await recentBlocks(client, spec, window, baseline),
  };
}

/**
 * Episodes that were told of before this window is judged: those that it had when it was judged last, and those of the windows after it that an
 * episode beginning in it would go on to. Late records move the beginning of an episode, which is no new one.
 */
export async function toldEpisodes(client: MonitorClient, spec: MonitorSpec, window: Window): Promise<Episode[]> {
  const last = window.end + spec.persistence.windows * spec.windowSeconds * 1000;
  const found = await client.windowFiles(FILES.memory, window.start, last);
  const memories = await mapConcurrent(found, AT_ONCE, ({ uri }) => client.json<WindowMemory>(uri));
  return memories.flatMap((memory) => memory?.episodes ?? []);
}

/** Windows that are judged together with this one, found from the newest back, and those that the references hold before them; oldest first. */
async function recentBlocks(client: MonitorClient, spec: MonitorSpec, window: Window, { runId }: Baseline): Promise<Block[]> {
  const lookBack = Math.max(0, ...spec.references.map((reference) => (reference.kind === 'LAST_DAYS' ? reference.days * DAY : 0)));
  const fixed = spec.references.flatMap((one) => (one.kind === 'FIXED' ? [{ from: Date.parse(one.from), to: Date.parse(one.to) }] : []));
  const since = judgedSince(spec, window);
  const found = await client.windowFiles(FILES.block(runId), Math.min(since - lookBack, ...fixed.map(({ from }) => from)), window.start);
  const read = async ({ uri }: WindowFile): Promise<readonly Block[]> => {
    const bytes = await client.bytes(uri);
    return bytes === undefined ? [] : blocksOf(decodeBlocks(bytes));
  };
  const together: Block[] = [];
  let rest = found.length;
  while (rest > 0 && found[rest - 1].start >= since && judgedTogether(spec, together, window).length < spec.persistence.windows - 1) {
    rest -= 1;
    together.unshift(...(await read(found[rest])));
  }
  const from = (judgedTogether(spec, together, window)[0]?.start ?? window.start) - lookBack;
  const held = ({ start, end }: WindowFile): boolean => start >= from || fixed.some((one) => start >= one.from && end <= one.to);
  const earlier = await mapConcurrent(lookBack + fixed.length > 0 ? found.slice(0, rest).filter(held) : [], AT_ONCE, read);
  return [...earlier.flat(), ...together];
}

export function encodeBlock(window: Window, profile: Profile, { features }: Baseline, { windowSeconds }: MonitorSpec): Uint8Array {
  const { rows, cells } = blockOf({ start: window.start, profile }, features);
  return encodeBlocks({
    kind: 'time',
    windowSeconds,
    blocks: [{ start: window.start, rows }],
    cells: Object.fromEntries([...cells].map(([name, counts]) => [name, [counts]])),
  });
}
