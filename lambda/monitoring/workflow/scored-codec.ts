import { gunzipSync, gzipSync } from 'node:zlib';
import { ByteReader, ByteWriter } from '../profile/bytes';
import type { ScoredRow } from '../quality/types';

const VERSION = 1;
const NUMBER = 0;
const NAME = 1;

/** Packs predictions a few bytes each: rows of a request follow each other, so that most of a row is what the one before it was. */
export class ScoredWriter {
  public rows = 0;
  private readonly writer = new ByteWriter();
  private readonly names = new Map<string, number>();
  private inferenceId = '';
  private rowIndex = -1;
  private time = 0;

  constructor() {
    this.writer.byte(VERSION);
  }

  public add = (row: ScoredRow): void => {
    const { writer } = this;
    const same = row.inferenceId === this.inferenceId;
    writer.byte(same ? 0 : 1);
    if (!same) writer.text(row.inferenceId);
    writer.signed(row.rowIndex - (same ? this.rowIndex + 1 : 0));
    writer.signed(row.time - this.time);
    writer.whole(row.version === undefined ? 0 : row.version + 1);
    if (typeof row.prediction === 'number') {
      writer.byte(NUMBER);
      writer.double(row.prediction);
    } else {
      writer.byte(NAME);
      this.name(row.prediction);
    }
    writer.whole(row.groups.length);
    row.groups.forEach((group) => this.name(group));
    this.inferenceId = row.inferenceId;
    this.rowIndex = row.rowIndex;
    this.time = row.time;
    this.rows += 1;
  };

  /** 0: none, 1: a new name, which follows, else the number of one that came before. */
  private name(name: string | undefined): void {
    const known = name === undefined ? -2 : this.names.get(name);
    this.writer.whole((known ?? -1) + 2);
    if (name !== undefined && known === undefined) {
      this.writer.text(name);
      this.names.set(name, this.names.size);
    }
  }

  /** How many rows follow, then the compressed rows: several such pieces one behind the other are scored rows too. */
  public done(): Uint8Array {
    const packed = gzipSync(this.writer.done());
    const piece = new ByteWriter();
    piece.whole(this.rows);
    piece.whole(packed.length);
    piece.raw(packed);
    return piece.done();
  }
}

/** Rows of all pieces, one after the other. */
export function* scoredRows(bytes: Uint8Array): Generator<ScoredRow> {
  for (let rest = bytes; rest.length > 0; ) {
    const piece = new ByteReader(rest, 'the stored predictions');
    const rows = piece.whole();
    const packed = piece.raw(piece.whole());
    yield* readPiece(new ByteReader(gunzipSync(packed), 'the stored predictions'), rows);
    rest = rest.subarray(packed.byteOffset - rest.byteOffset + packed.length);
  }
}

function* readPiece(reader: ByteReader, rows: number): Generator<ScoredRow> {
  if (reader.byte() !== VERSION) throw new Error('the bytes are no stored predictions of this version');
  const names: string[] = [];
  const name = (): string | undefined => {
    const code = reader.whole();
    if (code === 1) names.push(reader.text());
    return code === 0 ? undefined : names[code === 1 ? names.length - 1 : code - 2];
  };
  let [inferenceId, rowIndex, time] = ['', -1, 0];
  for (let row = 0; row < rows; row += 1) {
    const same = reader.byte() === 0;
    if (!same) inferenceId = reader.text();
    rowIndex = reader.signed() + (same ? rowIndex + 1 : 0);
    time += reader.signed();
    const version = reader.whole();
    const prediction = reader.byte() === NUMBER ? reader.double() : (name() as string);
    const groups = Array.from({ length: reader.whole() }, name);
    yield { inferenceId, rowIndex, time, ...(version > 0 && { version: version - 1 }), prediction, groups };
  }
  reader.end();
}
