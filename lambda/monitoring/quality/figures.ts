import type { BlockValue } from './block-value';
import type { QualityTable } from './table';

export type Figures = Readonly<Record<string, BlockValue>>;

/** What a part of the rows amounts to. */
export interface PartFigures {
  readonly rows: number;
  readonly labelled: number;
  /** Labelled rows of each class; binary tasks. */
  readonly positives: number;
  readonly negatives: number;
  /** The task's metrics by name; one that its definition leaves open on this data is absent. */
  readonly metrics: Figures;
  /** Binary tasks: selectionRate over all rows, truePositiveRate and falsePositiveRate over the labelled ones. */
  readonly rates: Figures;
}

/** How the rows are cut into parts: the part of each row, or -1; and the blocks in the order of their ids. */
export interface Parts {
  readonly count: number;
  readonly partOf: (row: number) => number;
  readonly blocks: number;
  /** By position of the table: place in the order of ids. */
  readonly place: Uint16Array;
}

/** Takes each row of a part, with the cell of its part and block, and whether its truth is known. */
export function eachRow(table: QualityTable, parts: Parts, take: (row: number, part: number, cell: number, labelled: boolean) => void): void {
  const { truth, block, rows } = table;
  for (let row = 0; row < rows; row += 1) {
    const part = parts.partOf(row);
    if (part >= 0) {
      take(row, part, part * parts.blocks + parts.place[block[row]], !Number.isNaN(truth[row]));
    }
  }
}

/** Those that are defined. */
export const defined = (figures: Readonly<Record<string, BlockValue | undefined>>): Figures =>
  Object.fromEntries(Object.entries(figures).filter((entry): entry is [string, BlockValue] => entry[1] !== undefined));
