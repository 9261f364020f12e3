import type { Cell, RowSink, TextRow } from '../rows';
import { readCategory, readNumeric } from '../values';
import { CellLookup } from './cells';
import type { WatchedFeature } from './types';

/** Sums of one group of rows: how many, and the predictions' sum, or how many predicted each class. */
class Groups {
  private readonly rows: Float64Array;
  private readonly sums: Float64Array;

  constructor(
    private readonly cells: number,
    private readonly outputs: number,
  ) {
    this.rows = new Float64Array(cells);
    this.sums = new Float64Array(cells * outputs);
  }

  public add(cell: number, output: number, value: number): void {
    this.rows[cell] += 1;
    this.sums[cell * this.outputs + output] += value;
  }

  /** Share of the variance that lies between the cells, less what chance alone puts there. */
  public explained(squares: number): number | undefined {
    const count = this.rows.reduce((sum, rows) => sum + rows, 0);
    const filled = this.rows.reduce((sum, rows) => sum + (rows > 0 ? 1 : 0), 0);
    let between = 0;
    let around = 0;
    for (let output = 0; output < this.outputs; output += 1) {
      let sum = 0;
      for (let cell = 0; cell < this.cells; cell += 1) {
        const part = this.sums[cell * this.outputs + output];
        sum += part;
        between += this.rows[cell] > 0 ? part ** 2 / this.rows[cell] : 0;
      }
      around += sum ** 2 / count;
    }
    const total = squares - around;
    if (!(total > 1e-12 * squares) || count <= filled) {
      return undefined;
    }
    const within = Math.max(0, 1 - (between - around) / total);
    return Math.max(0, Math.min(1, 1 - (within * (count - 1)) / (count - filled)));
  }
}

/**
 * How much of the predictions' variance each feature explains alone: the correlation ratio over the feature's coarse cells, adjusted for their
 * number. For predicted classes it is the same of their indicators (Goodman and Kruskal's tau).
 */
export class ImportanceCounter implements RowSink {
  private readonly features: readonly { readonly name: string; readonly column: number; readonly lookup: CellLookup; readonly groups: Groups }[];
  private readonly classes?: ReadonlyMap<string, number>;
  private readonly cellsOfRow: Int32Array;
  private origin?: number;
  private squares = 0;

  /** The one feature of `watched` without a column is the prediction: its shape says whether it is a number or a class. */
  constructor(watched: readonly WatchedFeature[]) {
    const prediction = watched.find(({ column }) => column === undefined);
    if (prediction?.shape.kind === 'categorical' && !prediction.shape.categories.every((name) => Number.isFinite(Number(name)))) {
      this.classes = new Map(prediction.shape.categories.map((name, index) => [name, index]));
    }
    const outputs = this.classes === undefined ? 1 : this.classes.size + 1;
    this.features = watched.flatMap(({ name, column, shape }) => {
      const lookup = new CellLookup(shape);
      return column === undefined ? [] : [{ name, column, lookup, groups: new Groups(lookup.length, outputs) }];
    });
    this.cellsOfRow = new Int32Array(this.features.length);
  }

  public text(row: TextRow): void {
    const { bytes, starts, ends, length } = row;
    this.features.forEach(({ column, lookup }, index) => {
      this.cellsOfRow[index] = column < length ? lookup.ofText(bytes, starts[column], ends[column]) : lookup.length - 1;
    });
  }

  public cells(row: readonly Cell[]): void {
    this.features.forEach(({ column, lookup }, index) => {
      this.cellsOfRow[index] = lookup.ofCell(row[column]);
    });
  }

  /** The prediction of the last row; rows without one count nothing. */
  public prediction(cell: Cell): void {
    const name = this.classes && readCategory(cell);
    const number = this.classes ? undefined : readNumeric(cell);
    if (name === undefined && typeof number !== 'number') {
      return;
    }
    // Sums of squares lose their last digits where the values are far from zero: the first one is taken as the origin.
    this.origin ??= typeof number === 'number' ? number : 0;
    const output = name === undefined ? 0 : (this.classes!.get(name) ?? this.classes!.size);
    const value = typeof number === 'number' ? number - this.origin : 1;
    this.squares += value ** 2;
    this.features.forEach(({ groups }, index) => groups.add(this.cellsOfRow[index], output, value));
  }

  /** 0 to 1 by feature; a feature is absent where the predictions do not vary or are too few. */
  public toImportance(): Map<string, number> {
    return new Map(
      this.features.flatMap(({ name, groups }) => {
        const explained = groups.explained(this.squares);
        return explained === undefined || !Number.isFinite(explained) ? [] : [[name, explained] as const];
      }),
    );
  }
}
