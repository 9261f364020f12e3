import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';

const BLOCK = 512;
const NAME_LENGTH = 100;
const PREFIX_LENGTH = 155;
const IGNORED = new Set(['__pycache__', '.git', '.DS_Store', '.ipynb_checkpoints', '.pytest_cache', '.mypy_cache', 'node_modules']);

/** A directory of code as SageMaker's script mode takes it. */
export interface CodeArchive {
  readonly bytes: Buffer;
  readonly sha256: string;
}

/** Where the code stood in version control at synth; both absent where it is not under git. */
export interface CodeRevision {
  readonly commit?: string;
  readonly dirty?: boolean;
}

/**
 * Equal files give equal bytes on every machine: sorted names, no times, owners or modes of the machine. The gzip stream is stored, not
 * compressed, because compressors differ between processors and versions, and another hash would be another deployment.
 */
export const archiveOf = (directory: string): CodeArchive => {
  const blocks = filesOf(directory).flatMap((name) => {
    const content = fs.readFileSync(path.join(directory, name));
    return [header(name, content.length), content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];
  });
  const bytes = gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]), { level: 0 });
  // The byte names the operating system that packed.
  bytes[9] = 255;
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
};

const filesOf = (directory: string, below = ''): string[] =>
  fs
    .readdirSync(path.join(directory, below), { withFileTypes: true })
    .filter(({ name }) => !IGNORED.has(name) && !name.endsWith('.pyc'))
    .flatMap(({ name }) => {
      const relative = below === '' ? name : `${below}/${name}`;
      return fs.statSync(path.join(directory, relative)).isDirectory() ? filesOf(directory, relative) : [relative];
    })
    .sort((a, b) => (a < b ? -1 : 1));

const header = (name: string, size: number): Buffer => {
  const [prefix, base] = split(name);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`;
  block.write(base, 0, NAME_LENGTH);
  block.write(octal(0o644, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(0, 12), 136);
  block.write(' '.repeat(8), 148);
  block.write('0', 156);
  block.write('ustar\0' + '00', 257);
  block.write(prefix, 345, PREFIX_LENGTH);
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
};

/** The format holds 100 bytes of name and 155 of directory. */
const split = (name: string): [string, string] => {
  if (Buffer.byteLength(name) <= NAME_LENGTH) return ['', name];
  for (let slash = name.indexOf('/'); slash > 0; slash = name.indexOf('/', slash + 1)) {
    const [prefix, base] = [name.slice(0, slash), name.slice(slash + 1)];
    if (Buffer.byteLength(prefix) <= PREFIX_LENGTH && Buffer.byteLength(base) <= NAME_LENGTH) return [prefix, base];
  }
  throw new Error(
    `path too long for an archive of training code: ${name}; shorten its directories to ${PREFIX_LENGTH} and its name to ${NAME_LENGTH} bytes`,
  );
};

/** The last commit that touched the directory, so that commits elsewhere change no template. */
export const revisionOf = (directory: string): CodeRevision => {
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', directory, ...args, '--', '.'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 5_000 }).trim();
  try {
    const commit = git('log', '-1', '--format=%H');
    return commit === '' ? {} : { commit, dirty: git('status', '--porcelain') !== '' };
  } catch {
    return {};
  }
};
