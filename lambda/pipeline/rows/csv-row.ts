import { csvCell } from '../csv-line';

const COMMA = 44;
const FIRST_FIELDS = 64;

/**
 * A row as CSV, with quotes only where they are needed: `bytes[from … to)`, its field i `bytes[starts[i] … ends[i])`. Reused from row to row, so that
 * what is to be kept is copied.
 */
export class CsvRow {
  bytes: Buffer = Buffer.alloc(0);
  from = 0;
  to = 0;
  /** Number of fields. */
  length = 0;
  starts = new Int32Array(FIRST_FIELDS);
  ends = new Int32Array(FIRST_FIELDS);
  /** Line of the file on which the row ends, from 1. */
  line = 0;
  /** Fields without their quotes; absent where the bytes say the same. */
  parsed?: readonly string[];

  private text = Buffer.alloc(0);

  /** Field i without its quotes. */
  cell(index: number): string {
    return this.parsed ? this.parsed[index] : this.bytes.toString('utf8', this.starts[index], this.ends[index]);
  }

  cells(): readonly string[] {
    return this.parsed ?? Array.from({ length: this.length }, (_, index) => this.cell(index));
  }

  toString(): string {
    return this.bytes.toString('utf8', this.from, this.to);
  }

  /** Room for the place of one more field. */
  grow(): void {
    const [starts, ends] = [this.starts, this.ends];
    this.starts = new Int32Array(2 * starts.length);
    this.ends = new Int32Array(2 * ends.length);
    this.starts.set(starts);
    this.ends.set(ends);
  }

  /** Writes the fields as a line. */
  set(cells: readonly string[], line: number): void {
    while (cells.length > this.starts.length) this.grow();
    let to = 0;
    let isBare = true;
    for (let index = 0; index < cells.length; index += 1) {
      const field = csvCell(cells[index]);
      isBare &&= field === cells[index];
      // No character of a text has more than three bytes of UTF-8.
      const most = to + 3 * field.length + 1;
      if (most > this.text.length) this.text = Buffer.concat([this.text], 2 * most);
      if (index > 0) this.text[to++] = COMMA;
      this.starts[index] = to;
      to += this.text.write(field, to, 'utf8');
      this.ends[index] = to;
    }
    this.bytes = this.text;
    this.from = 0;
    this.to = to;
    this.length = cells.length;
    this.line = line;
    this.parsed = isBare ? undefined : cells;
  }
}
