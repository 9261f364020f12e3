const NEWLINE = 10;
const QUOTE = 34;
const COMMA = 44;

/** Finds where a CSV record ends whose bytes come in parts. */
export class RecordEnd {
  /** Whether a newline was met between quotes. */
  public quotedNewline = false;
  /** Before a field, in one without quotes, between quotes, behind a quote that may close them, or behind a misplaced one: then the line ends it. */
  private state: 'field' | 'bare' | 'quoted' | 'closed' | 'broken' = 'field';

  /** Index of the newline that ends the record, -1 where it goes on beyond `to`. `fresh`: the record begins at `from`. */
  public find(bytes: Uint8Array, from: number, to: number, fresh: boolean): number {
    let state = fresh ? 'field' : this.state;
    for (let index = from; index < to; index += 1) {
      const byte = bytes[index];
      if (state === 'quoted') {
        if (byte === QUOTE) {
          state = 'closed';
        } else if (byte === NEWLINE) {
          this.quotedNewline = true;
        }
      } else if (byte === NEWLINE) {
        return index;
      } else if (state === 'closed') {
        state = byte === QUOTE ? 'quoted' : byte === COMMA ? 'field' : 'broken';
      } else if (state === 'field') {
        state = byte === QUOTE ? 'quoted' : byte === COMMA ? 'field' : 'bare';
      } else if (state === 'bare' && byte === COMMA) {
        state = 'field';
      }
    }
    this.state = state;
    return -1;
  }
}
