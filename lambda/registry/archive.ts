import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Parser, type ReadEntry } from 'tar';
import { NamedError } from '../common/errors';

/** One file of an archive; its content must be read before the next one comes. */
export interface ArchiveFile {
  readonly path: string;
  readonly bytes: number;
  readonly content: AsyncIterable<Buffer>;
}

export interface ArchiveLimits {
  readonly files: number;
  /** Of all files together, unpacked. */
  readonly bytes: number;
  /** Time (ms since 1970) by which it has to be done. */
  readonly deadline?: number;
}

export interface ReadArchive {
  /** Of the archive itself. */
  readonly sha256: string;
  readonly bytes: number;
  /** Why its files were not all read; the digest is whole all the same. */
  readonly problem?: string;
}

export const ARCHIVE_LIMITS: ArchiveLimits = { files: 10_000, bytes: 5 * 1024 ** 3 };

/** S3 keys end at 1024 bytes, and the prefix needs some. */
const LONGEST_PATH = 700;
const FILES = new Set(['File', 'OldFile', 'ContiguousFile']);
const DIRECTORIES = new Set(['Directory', 'GNUDumpDir']);
/** Control characters, and backslashes: another system would take them for separators. */
const FORBIDDEN = /[\p{Cc}\\]/u;

/** The archive holds what is not unpacked; the message says what. */
class ArchiveRefused extends NamedError {
  constructor(message: string) {
    super('ArchiveRefused', message);
  }
}

/**
 * Hands on the files of a tar archive, compressed or not, one after the other; neither archive nor files stand in memory. What could leave the
 * place it is unpacked to (absolute paths, `..`, links), and what exceeds the limits, stops the reading, and the answer says why.
 */
export const readArchive = async (
  source: AsyncIterable<Buffer>,
  visit: (file: ArchiveFile) => Promise<void>,
  limits: ArchiveLimits = ARCHIVE_LIMITS,
): Promise<ReadArchive> => {
  const hash = createHash('sha256');
  let bytes = 0;
  const walk = new Walk(visit, limits);
  for await (const chunk of source) {
    hash.update(chunk);
    bytes += chunk.length;
    await walk.write(chunk);
  }
  const problem = await walk.end();
  return { sha256: hash.digest('hex'), bytes, ...(problem === undefined ? {} : { problem }) };
};

/** Path below the place where the archive is unpacked. */
export const safePath = (path: string): string => {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) throw new ArchiveRefused(`'${path}' is an absolute path`);
  if (parts.includes('..')) throw new ArchiveRefused(`'${path}' leads out of the archive`);
  if (parts.length === 0 || FORBIDDEN.test(path)) throw new ArchiveRefused(`${JSON.stringify(path)} is no file name`);
  const safe = parts.join('/');
  if (Buffer.byteLength(safe) > LONGEST_PATH) throw new ArchiveRefused(`'${safe.slice(0, 60)}…' is longer than ${LONGEST_PATH} bytes`);
  return safe;
};

class Walk {
  private readonly parser = new Parser({ strict: true });
  private readonly broken = new AbortController();
  private work: Promise<void> = Promise.resolve();
  private failure?: unknown;
  private open?: ReadEntry;
  private files = 0;
  private bytes = 0;

  constructor(
    private readonly visit: (file: ArchiveFile) => Promise<void>,
    private readonly limits: ArchiveLimits,
  ) {
    this.parser.on('entry', (entry: ReadEntry) => {
      this.work = this.work.then(() => this.handle(entry)).catch((error: unknown) => this.fail(error, entry));
    });
    this.parser.on('error', (error: Error) => this.fail(new ArchiveRefused(`it cannot be read as a tar archive: ${error.message}`)));
  }

  async write(chunk: Buffer): Promise<void> {
    if (this.failure !== undefined) return this.rethrow();
    if (!this.parser.write(chunk)) await this.unlessBroken(once(this.parser, 'drain', { signal: this.broken.signal }));
  }

  /** Answers why the archive was refused; any other failure is thrown. */
  async end(): Promise<string | undefined> {
    if (this.failure === undefined) {
      const ended = once(this.parser, 'end', { signal: this.broken.signal });
      this.parser.end();
      await this.unlessBroken(ended);
    }
    await this.work;
    this.rethrow();
    return (this.failure as ArchiveRefused | undefined)?.message;
  }

  private async handle(entry: ReadEntry): Promise<void> {
    if (this.failure !== undefined || DIRECTORIES.has(entry.type)) {
      entry.resume();
      return;
    }
    const path = safePath(entry.path);
    if (!FILES.has(entry.type)) throw new ArchiveRefused(`'${path}' is a ${entry.type}, not a file`);
    this.files += 1;
    if (this.files > this.limits.files) throw new ArchiveRefused(`it holds more than ${this.limits.files} files`);
    await this.visit({ path, bytes: entry.size, content: this.counted(entry) });
  }

  private async *counted(entry: ReadEntry): AsyncGenerator<Buffer> {
    this.open = entry;
    for await (const chunk of entry as AsyncIterable<Buffer>) {
      this.bytes += chunk.length;
      if (this.bytes > this.limits.bytes) throw new ArchiveRefused(`its files take more than ${this.limits.bytes} bytes`);
      if (Date.now() > (this.limits.deadline ?? Infinity)) throw new ArchiveRefused('there was no time to unpack all of it');
      yield chunk;
    }
  }

  private fail(error: unknown, entry?: ReadEntry): void {
    this.failure ??= error;
    entry?.resume();
    this.broken.abort();
    // Whoever reads a file whose end never comes would wait for ever.
    if (entry === undefined) this.open?.destroy(error);
  }

  private rethrow(): void {
    if (this.failure !== undefined && !(this.failure instanceof ArchiveRefused)) throw this.failure;
  }

  private async unlessBroken(event: Promise<unknown>): Promise<void> {
    try {
      await event;
    } catch (error) {
      if (!this.broken.signal.aborted) throw error;
    }
    this.rethrow();
  }
}
