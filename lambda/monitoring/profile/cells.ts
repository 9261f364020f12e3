import { parseNumber } from '../readers/bytes';
import type { Cell } from '../rows';
import { readNumeric } from '../values';
import { CategoryLookup, EdgeLookup, MISSING } from './lookup';
import { CELLS } from './types';
import type { BlockCells, Counts, Shape } from './types';

/** Categories that have a cell of their own; where there are more, the last cell is the rest's. */
const ownCells = (shape: Extract<Shape, { kind: 'categorical' }>): { readonly own: number; readonly rest: boolean } => {
  const rest = shape.categories.length > CELLS || shape.hasOther;
  return { own: Math.min(shape.categories.length, rest ? CELLS - 1 : CELLS), rest };
};

/** Cells of a feature; `BlockCells` has two more. All of them add up to the rows. */
export function cellCount(shape: Shape): number {
  if (shape.kind === 'numeric') {
    return Math.min(CELLS, shape.edges.length + 1);
  }
  const { own, rest } = ownCells(shape);
  return own + (rest ? 1 : 0);
}

/** Cell of each bin, or of each category and then of what is not listed. */
export function cellOfBins(shape: Shape): Uint16Array {
  const cells = cellCount(shape);
  if (shape.kind === 'numeric') {
    const bins = shape.edges.length + 1;
    return Uint16Array.from({ length: bins }, (_, bin) => Math.floor((bin * cells) / bins));
  }
  const { own, rest } = ownCells(shape);
  const count = shape.categories.length;
  // What the training data held too many of to list belongs to the rest; else it was never seen.
  const isRest = (position: number): boolean => rest && (position < count || shape.hasOther);
  return Uint16Array.from({ length: count + 1 }, (_, position) => (position < own ? position : isRest(position) ? own : cells));
}

export function toBlockCells(shape: Shape, counts: Counts): BlockCells {
  const cells = new Array<number>(cellCount(shape) + 2).fill(0);
  cellOfBins(shape).forEach((cell, bin) => (cells[cell] += counts.counts[bin]));
  cells[cells.length - 1] = counts.missing + counts.invalid;
  return cells;
}

/** Finds the coarse cell of a value; the last one is for what is missing or invalid. */
export class CellLookup {
  public readonly length: number;
  private readonly cellOf: Uint16Array;
  private readonly edges?: EdgeLookup;
  private readonly categories?: CategoryLookup;

  constructor(shape: Shape) {
    this.length = cellCount(shape) + 2;
    this.cellOf = cellOfBins(shape);
    if (shape.kind === 'numeric') {
      this.edges = new EdgeLookup(shape.edges);
    } else {
      this.categories = new CategoryLookup(shape.categories);
    }
  }

  public ofText(bytes: Uint8Array, start: number, end: number): number {
    if (this.edges === undefined) {
      return this.ofCategory(this.categories!.ofText(bytes, start, end));
    }
    const value = parseNumber(bytes, start, end);
    return Number.isFinite(value) ? this.cellOf[this.edges.binOf(value + 0)] : this.length - 1;
  }

  public ofCell(cell: Cell): number {
    if (this.edges === undefined) {
      return this.ofCategory(this.categories!.ofCell(cell));
    }
    const value = readNumeric(cell);
    return typeof value === 'number' ? this.cellOf[this.edges.binOf(value)] : this.length - 1;
  }

  private ofCategory(position: number): number {
    return position === MISSING ? this.length - 1 : this.cellOf[position >= 0 ? position : this.cellOf.length - 1];
  }
}
