import { gzipSync } from 'node:zlib';
import { Header } from 'tar';

export interface TarEntry {
  readonly path: string;
  readonly text?: string;
  readonly bytes?: Buffer;
  readonly type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'FIFO';
  readonly linkpath?: string;
}

const BLOCK = 512;

/** A tar.gz with just these entries, also such as no honest program writes. `mtime` (ms) changes the archive, not its files. */
export const tarball = (entries: readonly TarEntry[], mtime = 0): Buffer => {
  const blocks = entries.flatMap(({ path, text = '', bytes = Buffer.from(text), type = 'File', linkpath }) => {
    const block = Buffer.alloc(BLOCK);
    new Header({ path, size: bytes.length, type, linkpath, mode: 0o644, uid: 0, gid: 0, mtime: new Date(mtime) }).encode(block, 0);
    return [block, bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]));
};
