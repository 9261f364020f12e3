import { HIGHER_IS_BETTER } from '../../../lib/common/contract';
import type { Estimate } from '../../../lib/monitoring/contract';
import { estimateOf, intervalOf } from '../../monitoring/quality/block-value';
import { figuresOf, placesOf } from '../../monitoring/quality/estimate';
import type { Figures, PartFigures, Parts } from '../../monitoring/quality/figures';
import { estimateShown } from '../../monitoring/quality/judge';
import { NO_GROUP, type QualityTable } from '../../monitoring/quality/table';
import { improvementOf } from '../gate/paired-interval';
import { calibrationOf } from './calibration';
import { confusionOf } from './confusion';
import { curvesOf } from './curves';
import type { ScoredHoldout } from './scored-holdout';
import type { Evaluation, GroupTable, TimePoint } from './types';

const CONFIDENCE = 0.95;
const ONE_SIDED = (1 - CONFIDENCE) / 2;
/** From so many blocks on a figure has an interval. */
const FEWEST_BLOCKS = 2;
const MOST_POINTS = 120;
const LISTED_GROUPS = 60;

export interface Judged {
  readonly candidate: PartFigures;
  readonly champion?: PartFigures;
}

export const figuresOfHoldout = ({ candidate, champion }: ScoredHoldout): Judged => ({
  candidate: figuresOf(candidate)[0],
  ...(champion && { champion: figuresOf(champion)[0] }),
});

export const valuesOf = (figures: Figures): Record<string, number> =>
  Object.fromEntries(Object.entries(figures).flatMap(([name, { value }]) => (Number.isFinite(value) ? [[name, value]] : [])));

export const shownAll = (figures: Figures): Record<string, Estimate> =>
  Object.fromEntries(Object.entries(figures).map(([name, one]) => [name, estimateShown(name, one.value, estimateOf(one), ONE_SIDED, FEWEST_BLOCKS)]));

/** Everything that the report shows beside the rules. */
export const evaluate = (holdout: ScoredHoldout, metric: string, { candidate, champion }: Judged): Evaluation => {
  const { candidate: table, champion: other } = holdout;
  return {
    confidence: CONFIDENCE,
    estimates: shownAll(candidate.metrics),
    ...(champion && { championEstimates: shownAll(champion.metrics), improvements: improvementsOf(candidate.metrics, champion.metrics) }),
    overTime: overTime(holdout, metric, candidate, champion),
    groups: table.groupColumns.map((_, index) => groupTable(table, index)),
    ...defined('confusion', confusionOf(table)),
    ...defined('championConfusion', other && confusionOf(other)),
    ...defined('calibration', calibrationOf(table)),
    ...defined('championCalibration', other && calibrationOf(other)),
    ...defined('curves', curvesOf(table)),
    ...defined('championCurves', other && curvesOf(other)),
  };
};

const defined = <K extends string, V>(name: K, value: V | undefined): { readonly [key in K]?: V } =>
  (value === undefined ? {} : { [name]: value }) as { readonly [key in K]?: V };

const improvementsOf = (candidate: Figures, champion: Figures): Record<string, Estimate> =>
  Object.fromEntries(
    Object.entries(candidate).flatMap(([name, one]): [string, Estimate][] => {
      const other = champion[name];
      const higher = HIGHER_IS_BETTER[name];
      if (!other || higher === undefined) return [];
      const { figure, unit } = improvementOf(one, other, higher ? 1 : -1);
      const estimate = estimateOf(figure);
      if (unit === 'difference' || !Number.isFinite(figure.value)) return [];
      return [[name, estimate ? intervalOf(estimate, ONE_SIDED) : { value: figure.value }]];
    }),
  );

/** Value of the metric in each block alone. */
const overTime = ({ candidate: table, blocks }: ScoredHoldout, metric: string, candidate: PartFigures, champion?: PartFigures): TimePoint[] => {
  const order = table.blockOrder();
  const rows = new Float64Array(order.length);
  for (let row = 0; row < table.rows; row += 1) rows[table.block[row]] += 1;
  const together = Math.ceil(order.length / MOST_POINTS);
  return Array.from({ length: Math.ceil(order.length / together) }, (_, index): TimePoint => {
    const places = order.slice(index * together, (index + 1) * together);
    const times = new Float64Array(order.length).fill(0).fill(1, index * together, index * together + places.length);
    const own = (part?: PartFigures): number | undefined => {
      const value = part?.metrics[metric]?.drawn?.(times);
      return value !== undefined && Number.isFinite(value) ? value : undefined;
    };
    const first = table.blockIds[places[0]];
    const [mine, theirs] = [own(candidate), own(champion)];
    return {
      name: blocks.unit === 'day' ? new Date(first * 86_400_000).toISOString().slice(0, 10) : String(first * (blocks.rowsPerBlock ?? 1) + 1),
      rows: places.reduce((sum, place) => sum + rows[place], 0),
      ...(mine !== undefined && { candidate: mine }),
      ...(theirs !== undefined && { champion: theirs }),
    };
  });
};

export interface GroupSet {
  readonly parts: Parts;
  /** By part, most rows first. */
  readonly names: readonly string[];
  /** Rows of each part. */
  readonly rows: readonly number[];
  /** Groups that are in no part. */
  readonly leftOut: number;
}

/** Groups of a column with at least so many rows, at most so many of them, the largest first, equal ones by name. */
export const largestGroups = (table: QualityTable, column: number, minimumRows: number, most: number): GroupSet => {
  const { list } = table.groups[column];
  const codes = table.group[column];
  const counts = new Float64Array(list.length);
  for (let row = 0; row < table.rows; row += 1) if (codes[row] !== NO_GROUP) counts[codes[row]] += 1;
  const order = list.map((_, code) => code).sort((a, b) => counts[b] - counts[a] || (list[a] < list[b] ? -1 : 1));
  const kept = order.filter((code) => counts[code] >= minimumRows).slice(0, most);
  const partOfCode = new Int32Array(list.length).fill(-1);
  kept.forEach((code, part) => (partOfCode[code] = part));
  return {
    names: kept.map((code) => list[code]),
    rows: kept.map((code) => counts[code]),
    leftOut: order.length - kept.length,
    parts: { count: kept.length, partOf: (row) => (codes[row] === NO_GROUP ? -1 : partOfCode[codes[row]]), ...placesOf(table) },
  };
};

const groupTable = (table: QualityTable, index: number): GroupTable => {
  const { names, rows, parts, leftOut } = largestGroups(table, index, 1, LISTED_GROUPS);
  const figures = figuresOf(table, parts);
  return {
    column: table.groupColumns[index],
    groups: figures.map(({ metrics }, part) => ({ group: names[part], rows: rows[part], metrics: shownAll(metrics) })),
    leftOut,
  };
};
