import type { MonitorResult, MonitorSpec, WindowState } from '../../../lib/monitoring/contract';
import { number, plural } from '../words';
import type { Part } from './part';

export interface StateInput {
  readonly spec: MonitorSpec;
  readonly part: Part;
  readonly rejected: Readonly<Record<string, number>>;
  /** Requests recorded in the window's hours, by their wall clock, and those that the endpoint counted. */
  readonly recorded: number;
  readonly invocations: number | undefined;
  /** Its rows were recorded long after it, as planned. */
  readonly replayed: boolean;
  readonly quality: Pick<MonitorResult['quality'], 'rows' | 'labelled'>;
}

/** Lines, or requests with all their rows, that cannot be read. */
const UNREADABLE_REQUESTS = ['request-not-recorded', 'request-unreadable', 'prediction-unreadable', 'prediction-count'];
const UNREADABLE = ['record-malformed', 'not-utf8', 'line-too-long', ...UNREADABLE_REQUESTS];
const SCHEMA = ['column-count', 'row-time'];
const DUPLICATES = ['duplicate-record', 'duplicate-id'];
const NOTHING = 'No recorded request falls into the window.';
const NONE_USABLE = 'No row of the window could be used.';
/** Fewer requests than these are missing by chance alone once in a thousand windows. */
const CHANCE = 3.1;
/** Counts of requests and records meet at the window's borders. */
const TOLERATED = 0.01;

/** States of a window that are no verdict but change how one should be read. */
export function statesOf({ spec, part, rejected, recorded, invocations, replayed, quality }: StateInput): WindowState[] {
  const { counts, stats } = part;
  const sum = (causes: readonly string[]): number => causes.reduce((total, cause) => total + (rejected[cause] ?? 0), 0);
  const [unreadable, changed, duplicates] = [sum(UNREADABLE), sum(SCHEMA), sum(DUPLICATES)];
  const missing = missingRequests(spec, recorded, invocations);
  const mixed = stats.inMinorityEncoding;
  const states: (WindowState | false)[] = [
    counts.rows === 0 && { state: 'no-traffic', count: 0, sentence: unreadable + changed > 0 ? NONE_USABLE : NOTHING },
    missing > 0 && {
      state: 'partial-capture',
      count: missing,
      sentence:
        `${plural(recorded, 'request')} were recorded of ${number(invocations ?? 0)} that the endpoint answered, ` +
        `at ${spec.samplingPercentage} % there should be about ${plural(recorded + missing, 'record')}: data capture drops records.`,
    },
    unreadable > 0 && {
      state: 'unreadable-lines',
      count: unreadable,
      sentence: `${plural(unreadable, 'line')} could not be read and ${unreadable === 1 ? 'is' : 'are'} left out: the causes stand below.`,
    },
    changed > 0 && {
      state: 'changed-schema',
      count: changed,
      sentence: `${plural(changed, 'row')} without the columns that the model was trained with: left out. A client changed its format.`,
    },
    mixed > 0 && {
      state: 'mixed-encodings',
      count: mixed,
      sentence: `${plural(mixed, 'record')} are encoded otherwise than most; each is read by its own encoding.`,
    },
    duplicates > 0 && {
      state: 'duplicate-records',
      count: duplicates,
      sentence: `${plural(duplicates, 'request')} had come before, or had an inference id that was taken: left out.`,
    },
    counts.lateRows > 0 &&
      !replayed && {
        state: 'late-records',
        count: counts.lateRows,
        sentence: `${plural(counts.lateRows, 'row')} were sent after the window had ended.`,
      },
    part.smokeRequests > 0 && {
      state: 'smoke-requests',
      count: part.smokeRequests,
      sentence: `${plural(part.smokeRequests, 'request')} proved a version at its release: left out of all but this count.`,
    },
    spec.qualityRules.length > 0 &&
      quality.rows > 0 &&
      quality.labelled === 0 && {
        state: 'no-labels',
        count: quality.rows,
        sentence: `None of ${plural(quality.rows, 'prediction')} has a label: quality cannot be told.`,
      },
  ];
  return states.filter((state) => state !== false);
}

/** Requests that should have been recorded and are not, beyond what sampling explains. */
function missingRequests({ samplingPercentage }: MonitorSpec, recorded: number, invocations: number | undefined): number {
  const share = samplingPercentage / 100;
  const expected = (invocations ?? 0) * share;
  const chance = CHANCE * Math.sqrt(expected * (1 - share));
  return recorded < expected * (1 - TOLERATED) - chance - 1 ? Math.round(expected - recorded) : 0;
}
