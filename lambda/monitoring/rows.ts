/** How rows travel from the readers to whatever counts or checks them. */

/** Value of a field from JSON or Parquet, or text. */
export type Cell = string | number | boolean | null | undefined;

/**
 * Fields of one row as UTF-8 text: field i is `bytes[starts[i]] … bytes[ends[i] - 1]`, quotes and escapes taken off. The arrays are reused: what a
 * sink wants to keep it copies.
 */
export interface TextRow {
  bytes: Uint8Array;
  starts: Int32Array;
  ends: Int32Array;
  /** Number of fields. */
  length: number;
  /** Where the reader already knows it, the number that a field is, in plain digits; else NaN, which says nothing. */
  numbers?: Float64Array;
}

/** Takes the rows of a table in order. Both forms mean the same; text is the fast one. */
export interface RowSink {
  text(row: TextRow): void;
  cells(row: readonly Cell[]): void;
}

/** Bytes of one object or file, in order. */
export type Chunks = AsyncIterable<Uint8Array>;

/** Text that stands in bytes, as UTF-8, until what reads them goes on. */
export interface PlacedText {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** What is known of a recorded request before its rows. */
export interface RequestHead {
  readonly eventId: string;
  /** The caller's id; the event's own where the caller gave none. Labels name it. */
  readonly inferenceId: string;
  /** Where it stands, if the reader has not made a text of it. */
  readonly inferenceIdAt?: PlacedText;
  /** Wall-clock time of the request in milliseconds. */
  readonly time: number;
  /** Hashes of event id and inference id, two halves each, as `idHash` makes them; absent where the reader has not made them. */
  readonly hashes?: Int32Array;
}

/** Name of a place in the data, which is made when it is asked for: most are never told. */
export interface Place {
  toString(): string;
}

/** Takes recorded requests: a head, then its rows in order. Rows come with the model's columns in their order, without a header. */
export interface RequestSink {
  /** False where the request is not wanted: its bodies are not delivered. `where` names the line for rejections, until the next one. */
  begin(head: RequestHead, where: Place): boolean;
  /** `prediction` is undefined where none was recorded. */
  text(row: TextRow, prediction: Cell): void;
  cells(row: readonly Cell[], prediction: Cell): void;
  /** A row that cannot be used: labels name rows by their place, which those after it keep. */
  skip?(): void;
}
