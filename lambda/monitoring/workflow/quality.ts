import { MONITORING_KEYS, type MonitorResult, type MonitorSpec } from '../../../lib/monitoring/contract';
import { mapConcurrent } from '../../common/concurrent';
import type { HoldoutQuality } from '../baseline/types';
import type { MonitorClient } from '../monitor.client';
import { decodeScored, judgeGroups, judgeQuality, LabelJoin, Labels } from '../quality';
import type { Rejections } from '../rejections';
import type { Chunks } from '../rows';
import { readLines } from './label-lines';
import { ReadAhead, readAsItIs } from './read-ahead';
import { AHEAD, digestOf, type SourceObject } from './sources';
import type { Window } from './windows';

const DAY = 86_400;

/**
 * Quality is judged in the windows that end a day: its intervals rest on whole days, and each judgement reads the look-back again. Other windows of
 * a day go on with what was found last.
 */
export const isQualityDue = ({ windowSeconds }: Pick<MonitorSpec, 'windowSeconds'>, window: Window): boolean =>
  windowSeconds >= DAY || window.end % (DAY * 1000) === 0;

export const windowBefore = ({ windowSeconds }: MonitorSpec, { start }: Window): Window => ({ start: start - windowSeconds * 1000, end: start });

export type Labelled = Pick<MonitorResult, 'quality' | 'groups'>;

/** Tells by which judgement of quality and groups a window goes. */
export const labelledDigest = ({ quality, groups }: Labelled): string => digestOf([], JSON.stringify([quality, groups]));

/** Files of scored rows that are read at the same time: in which order their rows come makes no difference. */
const AT_ONCE = 16;

export interface QualityContext {
  readonly spec: MonitorSpec;
  readonly client: MonitorClient;
  readonly window: Window;
  /** Version whose rows are judged. */
  readonly version?: number;
  readonly holdout?: HoldoutQuality;
  /** Scored rows of the window itself; those of the windows before it are stored. */
  readonly scored: Uint8Array;
  readonly labels: readonly SourceObject[];
  readonly rejections: Rejections;
}

/** Quality and gaps between groups over the look-back, by all labels that are known now. */
export async function judgeLabelled(context: QualityContext): Promise<Labelled> {
  const { spec, client, window, version, holdout, rejections } = context;
  const from = window.end - spec.qualitySeconds * 1000;
  const labels = new Labels(spec.task, rejections);
  const ahead = new ReadAhead(context.labels, (object) => client.open(object));
  for (const [index, object] of context.labels.entries()) {
    await readAsItIs(client, object, (current) =>
      readLines(current === object ? ahead.chunks(index) : client.open(current), object.key, rejections, (line, where) =>
        labels.add(line, where, object.hour),
      ),
    );
  }
  const join = new LabelJoin(
    { task: spec.task, groupColumns: spec.groupColumns, from, to: window.end, ...(version !== undefined && { version }) },
    labels,
  );
  // Labels may belong to rows from before the look-back: these are asked for too, so that theirs are no strangers.
  const before = await client.windowFiles(MONITORING_KEYS.scored, from - Math.max(AHEAD, spec.qualitySeconds * 1000), window.start);
  await mapConcurrent(before, AT_ONCE, ({ uri }) => join.addAll(decodeScored(client.stream(uri), spec.groupColumns)));
  await join.addAll(decodeScored(only(context.scored), spec.groupColumns));
  // Where the window before was not judged, its rows are not known, and nothing can be said about labels without one.
  if (before.some(({ end }) => end === window.start)) labels.rejectUnknown('labels');
  return {
    quality: judgeQuality({ spec, table: join.table, from, to: window.end, ...(holdout && { baseline: holdout }) }),
    groups: judgeGroups({ spec, table: join.table }),
  };
}

async function* only(bytes: Uint8Array): Chunks {
  yield bytes;
}
