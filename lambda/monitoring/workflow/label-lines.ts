import { isUtf8 } from 'node:buffer';
import { withoutBom } from '../readers/bom';
import { textOf } from '../readers/bytes';
import { Feeder, type RecordScanner } from '../readers/feeder';
import { LineRejections } from '../readers/lines';
import type { Rejections } from '../rejections';
import type { Chunks } from '../rows';

const NEWLINE = 10;
const RETURN = 13;

/** Lines of text with their places; lines that are too long or no UTF-8 are rejected. */
export async function readLines(chunks: Chunks, where: string, rejections: Rejections, take: (line: string, place: string) => void): Promise<void> {
  const feeder = new Feeder(new LineScanner(new LineRejections(where, rejections), take));
  for await (const chunk of withoutBom(chunks)) feeder.push(chunk);
  feeder.finish();
}

class LineScanner implements RecordScanner {
  constructor(
    private readonly lines: LineRejections,
    private readonly take: (line: string, place: string) => void,
  ) {}

  public scan(bytes: Uint8Array, from: number, to: number): number {
    let start = from;
    for (let end = this.lines.end(bytes, start, to); end >= 0; end = this.lines.end(bytes, start, to)) {
      this.lines.line += 1;
      const last = end > start && bytes[end - 1] === RETURN ? end - 1 : end;
      if (isUtf8(bytes.subarray(start, last))) this.take(textOf(bytes, start, last), this.lines.place);
      else this.lines.reject('not-utf8', 'the text is no UTF-8');
      start = end + 1;
    }
    return start;
  }

  public end(bytes: Uint8Array, from: number, to: number): number {
    const newline = bytes.indexOf(NEWLINE, from);
    return newline < to ? newline : -1;
  }

  public tooLong(): void {
    this.lines.tooLong();
  }

  /** A line without a newline gets one. */
  public unfinished(): void {}
}
