import { blocksOf, chooseReference, promiseReferences } from '../../../../lambda/monitoring/drift/reference';
import type { Block } from '../../../../lambda/monitoring/drift/types';
import type { BlockTable, CategoricalShape } from '../../../../lambda/monitoring/profile/types';
import type { ReferenceSpec } from '../../../../lib/monitoring/contract';
import { DAY, series, specOf, tableOf } from './samples';

const WEEK = 7 * DAY;
const shape: CategoricalShape = { kind: 'categorical', categories: ['x', 'y'], hasOther: false };
const features = [{ name: 'f', shape }];
const block = (start: number, rows = 100): Block => ({ start, rows, cells: new Map([['f', [rows / 2, rows / 2, 0, 0]]]) });
const day = (text: string): number => Date.parse(`${text}T00:00:00Z`);

/** 2011 in weeks from the first Monday on. */
const weeks = tableOf(7 * 86_400, series(52, (index) => block(day('2011-01-03') + index * WEEK)));
const weekly = specOf({ windowSeconds: 7 * 86_400 });
const days = tableOf(86_400, series(365, (index) => block(day('2011-01-01') + index * DAY)));
const daily = specOf();
const starts = (blocks: readonly Block[]): string[] => blocks.map(({ start }) => new Date(start).toISOString().slice(0, 10));
const window = (start: string, length: number) => ({ start: day(start), end: day(start) + length });
const choose = (reference: ReferenceSpec, table: BlockTable, recent: readonly Block[], start: string) =>
  chooseReference(reference, table === weeks ? weekly : daily, table, recent, window(start, table === weeks ? WEEK : DAY));

describe('the training data as reference', () => {
  it('is all of its blocks with enough rows', () => {
    const some = tableOf(86_400, series(30, (index) => block(day('2011-01-01') + index * DAY, index === 4 ? 10 : 100)));
    const chosen = choose({ kind: 'TRAINING' }, some, [], '2012-01-02');
    expect(chosen.blocks).toHaveLength(29);
    expect(chosen.sentence).toBe('Compared with all of the baseline: the training data\'s 29 blocks of 1 day (2011-01-01 to 2011-01-31).');
  });

  it('never holds the window, nor those judged together with it', () => {
    const stored = series(9, (index) => block(day('2011-06-01') + index * DAY));
    const chosen = choose({ kind: 'TRAINING' }, days, stored, '2011-06-10');
    expect(chosen.blocks).toHaveLength(362);
    expect(starts(chosen.blocks)).toEqual(expect.arrayContaining(['2011-06-07', '2011-06-11']));
    expect(['2011-06-08', '2011-06-09', '2011-06-10'].filter((start) => starts(chosen.blocks).includes(start))).toEqual([]);
  });
});

describe('the same season as reference', () => {
  it('is the blocks of the window\'s calendar months in earlier years', () => {
    expect(starts(choose({ kind: 'SAME_SEASON' }, weeks, [], '2012-01-02').blocks)).toEqual(['2011-01-03', '2011-01-10', '2011-01-17', '2011-01-24']);
    const twoMonths = choose({ kind: 'SAME_SEASON' }, weeks, [], '2012-02-27');
    expect(twoMonths.sentence).toBe(
      'Compared with February and March of earlier years: the season\'s 9 blocks of 7 days (February 2011 and March 2011).',
    );
  });

  it('with a single January says that it never alarms', () => {
    const [{ promise }] = promiseReferences({ ...weekly, references: [{ kind: 'SAME_SEASON' }] }, features, weeks, day('2012-01-02'));
    expect(promise.sentence).toBe(
      'The season\'s 4 blocks of 7 days (January 2011) cannot support a promise (10 are needed beyond those that fit it): '
      + 'shown for information, never alarms.',
    );
    expect(promise).toMatchObject({ advisory: true, episodes: 0 });
  });

  it('is never the window\'s own year', () => {
    const chosen = choose({ kind: 'SAME_SEASON' }, weeks, [], '2011-05-02');
    expect(chosen.blocks).toEqual([]);
    expect(chosen.sentence).toBe('The training data holds no earlier May: there is nothing of the season to compare with.');
  });
});

describe('the last days as reference', () => {
  const live = series(20, (index) => block(day('2012-01-01') + index * DAY));

  it('reach back over stored windows into the baseline, up to what is judged together', () => {
    const chosen = choose({ kind: 'LAST_DAYS', days: 30 }, days, live, '2012-01-21');
    expect(starts(chosen.blocks)).toEqual(series(30, (index) => new Date(day('2011-12-20') + index * DAY).toISOString().slice(0, 10)));
    expect(chosen.sentence).toContain('Compared with the 30 days before the windows that are judged together, drifted ones included');
    expect(chosen.subject).toBe('The last 30 days\' 30 blocks of 1 day (2011-12-20 to 2012-01-19)');
  });

  it('end before the windows that are judged together also where there was no traffic between', () => {
    const gap = [...live.slice(0, 10), block(day('2012-01-15')), block(day('2012-01-18'))];
    const chosen = choose({ kind: 'LAST_DAYS', days: 10 }, days, gap, '2012-01-21');
    expect(starts(chosen.blocks)).toEqual(['2012-01-05', '2012-01-06', '2012-01-07', '2012-01-08', '2012-01-09', '2012-01-10']);
  });

  it('take a block once that stands in the baseline and is stored', () => {
    const twice = series(5, (index) => block(day('2011-12-27') + index * DAY));
    expect(choose({ kind: 'LAST_DAYS', days: 10 }, days, [...twice, ...live.slice(0, 4)], '2012-01-05').blocks).toHaveLength(10);
  });
});

describe('a fixed window as reference', () => {
  it('takes whole blocks between its ends', () => {
    const chosen = choose({ kind: 'FIXED', from: '2011-03-01T00:00:00Z', to: '2011-03-15T00:00:00Z' }, days, [], '2012-01-01');
    expect(starts(chosen.blocks)[0]).toBe('2011-03-01');
    expect(chosen.blocks).toHaveLength(14);
    expect(chosen.sentence).toBe('Compared with a fixed window: the fixed window\'s 14 blocks of 1 day (2011-03-01 to 2011-03-15).');
  });
});

describe('rows without time', () => {
  const rows = tableOf(86_400, series(40, (index) => block(index)), 'rows');

  it('are taken in their order, and the sentence says so', () => {
    const chosen = choose({ kind: 'TRAINING' }, rows, [], '2012-01-01');
    expect(chosen.blocks).toHaveLength(40);
    expect(chosen.sentence).toContain('they have no time, so rows next to each other are taken to be as alike');
    expect(choose({ kind: 'LAST_DAYS', days: 9 }, rows, [], '2012-01-01').blocks).toEqual([]);
  });
});

describe('the promises at baseline time', () => {
  it('share the budget among the references that support one', () => {
    const references: ReferenceSpec[] = [{ kind: 'TRAINING' }, { kind: 'SAME_SEASON' }, { kind: 'LAST_DAYS', days: 90 }];
    const promises = promiseReferences({ ...daily, references }, features, days, day('2012-01-01')).map(({ promise }) => promise);
    expect(promises.map(({ advisory }) => advisory)).toEqual([false, false, false]);
    promises.forEach(({ asked }) => expect(asked).toBeCloseTo(0.5 / 3 / 90, 12));
    expect(promises.map(({ nullBlocks }) => nullBlocks)).toEqual([181, 14, 43]);
    const two = promiseReferences({ ...daily, references: [references[0], { kind: 'LAST_DAYS', days: 9 }] }, features, days, day('2012-01-01'));
    expect(two.map(({ promise }) => [promise.advisory, promise.asked])).toEqual([[false, 0.5 / 90], [true, 0.5 / 90]]);
  });

  it('makes blocks of a table once', () => {
    expect(blocksOf(days)).toBe(blocksOf(days));
    expect(blocksOf(days)[3].cells.get('f')).toEqual([50, 50, 0, 0]);
  });
});
