import type { S3Writer } from '../../common/s3-writer.client';
import type { Rejection } from '../data-reader';
import { Spool } from './spool';

const NEWLINE = 10;
/** Text that stands in memory until it is worth a write. */
const HELD = 64 * 1024;

/** Rows that are set aside, in the order in which they come, as lines of JSON in a file. */
export class SetAside {
  count = 0;
  first?: Rejection;
  private readonly spool = new Spool();
  private held = '';

  add(rejection: Rejection): void {
    this.count += 1;
    this.first ??= rejection;
    this.held += `${JSON.stringify(rejection)}\n`;
    if (this.held.length > HELD) this.store();
  }

  async writeTo(writer: S3Writer): Promise<void> {
    this.store();
    for (const chunk of this.spool.chunks()) await writer.write(chunk);
  }

  *all(): Generator<Rejection> {
    this.store();
    let rest = Buffer.alloc(0);
    for (const chunk of this.spool.chunks()) {
      const bytes = Buffer.concat([rest, chunk]);
      let from = 0;
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
        yield JSON.parse(bytes.toString('utf8', from, end)) as Rejection;
        from = end + 1;
      }
      rest = bytes.subarray(from);
    }
  }

  close(): void {
    this.spool.close();
  }

  private store(): void {
    this.spool.append(Buffer.from(this.held));
    this.held = '';
  }
}
