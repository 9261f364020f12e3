import type { DriftPromise, MonitorSpec, ReferenceSpec } from '../../../lib/monitoring/contract';
import { FEWEST_BLOCKS, windowStartOf } from '../../../lib/monitoring/contract';
import type { BlockCells, BlockTable } from '../profile/types';
import { momentOf, plural } from '../words';
import { calibrate } from './calibrate';
import type { Block, BlockFeature, CalibrationOptions } from './types';
import { listOf, monthName, spanOf } from './words';

const DAY = 86_400_000;

/** The blocks that a window is compared with. */
export interface ChosenReference {
  readonly reference: ReferenceSpec;
  /** In time order, those with enough rows alone. */
  readonly blocks: readonly Block[];
  /** How the promise names the blocks. */
  readonly subject: string;
  /** What the window was compared with, and why with that. */
  readonly sentence: string;
  /** Whether all of the blocks come from the baseline, so that other windows have the same. */
  readonly fixed: boolean;
}

export interface WindowTimes {
  readonly start: number;
  readonly end: number;
}

const tables = new WeakMap<BlockTable, readonly Block[]>();

/** Blocks of a table, made once. */
export function blocksOf(table: BlockTable): readonly Block[] {
  const made = tables.get(table);
  if (made !== undefined) {
    return made;
  }
  const names = Object.keys(table.cells);
  const blocks = table.blocks.map(({ start, rows }, index): Block => {
    const known = names.map((name): [string, BlockCells | null] => [name, table.cells[name][index]]);
    return { start, rows, cells: new Map(known.filter((entry): entry is [string, BlockCells] => entry[1] !== null)) };
  });
  tables.set(table, blocks);
  return blocks;
}

/**
 * Chooses the blocks of a reference for a window. Nothing that is judged together with the window is part of it: neither the window nor those before
 * it that its persistence rule looks at. Windows that drifted stay in the last days: leaving them out would choose blocks by their score, and the
 * false alarms of the windows after would no longer be those that are promised.
 */
export function chooseReference(
  reference: ReferenceSpec,
  spec: MonitorSpec,
  table: BlockTable,
  recent: readonly Block[],
  window: WindowTimes,
): ChosenReference {
  const length = spec.windowSeconds * 1000;
  if (table.kind === 'rows') {
    return rowsReference(reference, spec, table);
  }
  const judgedFrom = judgedTogether(spec, recent, window)[0]?.start ?? window.start;
  const apart = (block: Block): boolean => block.start + length <= judgedFrom || block.start >= window.end;
  const enough = (block: Block): boolean => block.rows >= spec.minimumRows;
  const baseline = blocksOf(table);
  const own = new Set(baseline.map(({ start }) => start));
  const all = [...baseline, ...recent.filter(({ start }) => !own.has(start))].sort((a, b) => a.start - b.start);
  const pick = (from: readonly Block[], within: (block: Block) => boolean): Block[] =>
    from.filter((block) => enough(block) && within(block) && apart(block));
  const span = spanOf(spec.windowSeconds);
  const named = (blocks: readonly Block[], whose: string, when: string): string => `${whose} ${plural(blocks.length, 'block')} of ${span} (${when})`;
  switch (reference.kind) {
    case 'TRAINING': {
      const blocks = pick(baseline, () => true);
      const subject = named(blocks, 'The training data\'s', datesOf(blocks, length));
      return { reference, blocks, subject, sentence: `Compared with all of the baseline: ${lower(subject)}.`, fixed: true };
    }
    case 'FIXED': {
      const [from, to] = [Date.parse(reference.from), Date.parse(reference.to)];
      const blocks = pick(all, ({ start }) => start >= from && start + length <= to);
      const subject = named(blocks, 'The fixed window\'s', `${momentOf(from)} to ${momentOf(to)}`);
      const fixed = blocks.every(({ start }) => own.has(start));
      return { reference, blocks, subject, sentence: `Compared with a fixed window: ${lower(subject)}.`, fixed };
    }
    case 'LAST_DAYS': {
      const from = judgedFrom - reference.days * DAY;
      const blocks = pick(all, ({ start }) => start >= from && start < judgedFrom);
      const subject = named(blocks, `The last ${plural(reference.days, 'day')}'`, `${momentOf(from)} to ${momentOf(judgedFrom)}`);
      const before = spec.persistence.windows > 1 ? 'before the windows that are judged together' : 'before the window';
      const sentence = `Compared with the ${plural(reference.days, 'day')} ${before}, drifted ones included: ${lower(subject)}.`;
      return { reference, blocks, subject, sentence, fixed: false };
    }
    case 'SAME_SEASON':
      return seasonReference(reference, window, length, (within) => pick(baseline, within), named);
  }
}

/**
 * Start of the earliest window that may be judged together with one: a gap of a week, or of as many windows as persistence looks at, is no reason to
 * judge alone. Blocks of the reference that have too few rows are left out in the same way.
 */
export const judgedSince = ({ persistence, windowSeconds }: MonitorSpec, { start }: WindowTimes): number =>
  start - (persistence.windows - 1) * windowSeconds * 1000 - Math.max(7 * DAY, (persistence.windows - 1) * windowSeconds * 1000);

/** Windows with enough rows that the persistence rule looks at besides the window itself, oldest first. */
export function judgedTogether(spec: MonitorSpec, recent: readonly Block[], window: WindowTimes): readonly Block[] {
  const since = judgedSince(spec, window);
  const before = recent.filter(({ start, rows }) => rows >= spec.minimumRows && start >= since && start < window.start);
  return before.slice(Math.max(0, before.length - (spec.persistence.windows - 1)));
}

function seasonReference(
  reference: ReferenceSpec,
  window: WindowTimes,
  length: number,
  pick: (within: (block: Block) => boolean) => Block[],
  named: (blocks: readonly Block[], whose: string, when: string) => string,
): ChosenReference {
  const touched = monthsOf(window);
  const calendar = new Set(touched.map((month) => month.slice(5)));
  // A block belongs to the month that holds its middle.
  const monthOf = ({ start }: Block): string => new Date(start + length / 2).toISOString().slice(0, 7);
  const blocks = pick((block) => monthOf(block) < touched[0] && calendar.has(monthOf(block).slice(5)));
  const months = [...new Set(blocks.map(monthOf))];
  const wanted = listOf([...calendar].map((month) => monthName(`0000-${month}`).slice(0, -5)));
  if (blocks.length === 0) {
    const sentence = `The training data holds no earlier ${wanted}: there is nothing of the season to compare with.`;
    return { reference, blocks, subject: 'The season\'s 0 blocks', sentence, fixed: true };
  }
  const subject = named(blocks, 'The season\'s', listOf(months.map(monthName)));
  return { reference, blocks, subject, sentence: `Compared with ${wanted} of earlier years: ${lower(subject)}.`, fixed: true };
}

function rowsReference(reference: ReferenceSpec, spec: MonitorSpec, table: BlockTable): ChosenReference {
  if (reference.kind !== 'TRAINING') {
    const sentence = 'The training data has no column of time, so that this reference cannot be found in it.';
    return { reference, blocks: [], subject: 'No blocks of known time', sentence, fixed: true };
  }
  const blocks = blocksOf(table).filter((block) => block.rows >= spec.minimumRows);
  const size = plural(Math.min(...blocks.map(({ rows }) => rows), Infinity), 'row');
  const subject = blocks.length === 0 ? 'The training data\'s 0 blocks of rows' : `The training data's ${plural(blocks.length, 'block')} of ${size}`;
  const assumed = 'they have no time, so rows next to each other are taken to be as alike as those of one window of production';
  return { reference, blocks, subject, sentence: `Compared with all of the baseline: ${lower(subject)}; ${assumed}.`, fixed: true };
}

const lower = (subject: string): string => subject.replace(/^The /, 'the ');

function datesOf(blocks: readonly Block[], length: number): string {
  return blocks.length === 0 ? 'none' : `${momentOf(blocks[0].start)} to ${momentOf(blocks[blocks.length - 1].start + length)}`;
}

/** `YYYY-MM` of every calendar month that the window touches; its end is not part of it. */
function monthsOf({ start, end }: WindowTimes): string[] {
  const months: string[] = [];
  const cursor = new Date(start);
  cursor.setUTCDate(1);
  cursor.setUTCHours(0, 0, 0, 0);
  for (; cursor.getTime() < end; cursor.setUTCMonth(cursor.getUTCMonth() + 1)) {
    months.push(cursor.toISOString().slice(0, 7));
  }
  return months;
}

/** Null scores that so many blocks give. */
const nullBlocksOf = (blocks: number, spec: MonitorSpec): number => Math.max(0, blocks - Math.floor(blocks / 2) - (spec.persistence.windows - 1));

/** References that support a promise share the budget equally. */
export function optionsFor(spec: MonitorSpec, chosen: readonly ChosenReference[]): (reference: ChosenReference) => CalibrationOptions {
  const promising = chosen.filter(({ blocks }) => nullBlocksOf(blocks.length, spec) >= FEWEST_BLOCKS).length;
  const { windowSeconds, minimumRows, persistence, falseAlarms } = spec;
  return ({ subject }) => ({ windowSeconds, minimumRows, persistence, falseAlarms, share: 1 / Math.max(1, promising), subject });
}

/** What each reference of the monitor can promise the window that holds `at`, by the baseline's blocks alone. */
export function promiseReferences(
  spec: MonitorSpec,
  features: readonly BlockFeature[],
  table: BlockTable,
  at: number,
): { reference: ReferenceSpec; promise: DriftPromise }[] {
  const start = windowStartOf(at, spec.windowSeconds);
  const window = { start, end: start + spec.windowSeconds * 1000 };
  const chosen = spec.references.map((reference) => chooseReference(reference, spec, table, [], window));
  const options = optionsFor(spec, chosen);
  return chosen.map((each) => ({ reference: each.reference, promise: calibrate(features, each.blocks, options(each)).promise }));
}
