import { readFileSync } from 'node:fs';
import { UsageError } from './errors';

/** Where a command reads and writes. */
export interface Io {
  readonly environment: NodeJS.ProcessEnv;
  /** Whether a person watches standard output. */
  readonly isTerminal: boolean;
  readonly colours: boolean;
  /** Results; nothing else goes there. */
  out(text: string): void;
  /** Progress and remarks. */
  err(text: string): void;
  stdin(): Promise<Buffer>;
}

export const processIo = (): Io => {
  const isTerminal = process.stdout.isTTY === true;
  return {
    environment: process.env,
    isTerminal,
    colours: isTerminal && !process.env.NO_COLOR && process.env.TERM !== 'dumb',
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    stdin: async () => {
      const parts: Buffer[] = [];
      for await (const part of process.stdin) parts.push(part as Buffer);
      return Buffer.concat(parts);
    },
  };
};

/** Bytes of a file, of standard input where the name is `-`. */
export const readInput = async (io: Io, file: string): Promise<Buffer> => {
  if (file === '-') return io.stdin();
  try {
    return readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'does not exist' : code === 'EISDIR' ? 'is a directory' : `cannot be read (${code})`;
    throw new UsageError(`${file} ${why}`, 'name a file, or - for standard input');
  }
};
