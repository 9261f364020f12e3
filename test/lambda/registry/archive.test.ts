import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { type ArchiveLimits, readArchive, safePath } from '../../../lambda/registry/archive';
import { tarball, type TarEntry } from '../../fakes/tarball';

/** In pieces, as a network delivers them. */
async function* pieces(bytes: Buffer, size = 700): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

const read = async (bytes: Buffer, limits?: ArchiveLimits) => {
  const files: Record<string, string> = {};
  const result = await readArchive(
    pieces(bytes),
    async ({ path, content }) => {
      const chunks: Buffer[] = [];
      for await (const chunk of content) chunks.push(chunk);
      files[path] = Buffer.concat(chunks).toString();
    },
    limits,
  );
  return { ...result, files };
};

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const LARGE = 'x'.repeat(300_000);
const HONEST: readonly TarEntry[] = [
  { path: 'code/', type: 'Directory' },
  { path: './model.json', text: '{}' },
  { path: 'code/large.txt', text: LARGE },
  { path: 'empty', text: '' },
];

test('hands on every file with its content, and the digest of the archive', async () => {
  const bytes = tarball(HONEST);
  expect(await read(bytes)).toEqual({
    sha256: sha256(bytes),
    bytes: bytes.length,
    files: { 'model.json': '{}', 'code/large.txt': LARGE, empty: '' },
  });
});

test('reads an archive that is not compressed', async () => {
  expect(Object.keys((await read(gunzipSync(tarball(HONEST)))).files)).toEqual(['model.json', 'code/large.txt', 'empty']);
});

test.each<[string, TarEntry, string]>([
  ['a path that leads out', { path: '../../etc/cron.d/job', text: 'x' }, "'../../etc/cron.d/job' leads out of the archive"],
  ['a path that leads out in its middle', { path: 'a/../../b', text: 'x' }, 'leads out of the archive'],
  ['an absolute path', { path: '/etc/passwd', text: 'x' }, 'is an absolute path'],
  ['a drive', { path: 'C:/windows', text: 'x' }, 'is an absolute path'],
  ['a backslash', { path: 'a\\..\\b', text: 'x' }, 'is no file name'],
  ['a control character', { path: 'a\u0007b', text: 'x' }, 'is no file name'],
  ['a symbolic link', { path: 'link', type: 'SymbolicLink', linkpath: '/etc/passwd' }, "'link' is a SymbolicLink, not a file"],
  ['a hard link', { path: 'link', type: 'Link', linkpath: 'model.json' }, "'link' is a Link, not a file"],
  ['a pipe', { path: 'pipe', type: 'FIFO' }, "'pipe' is a FIFO, not a file"],
])('stops at %s, says which, and digests the archive all the same', async (_, entry, problem) => {
  const bytes = tarball([{ path: 'first', text: '1' }, entry, { path: 'last', text: '2' }]);
  const result = await read(bytes);
  expect(result).toMatchObject({ sha256: sha256(bytes), bytes: bytes.length, problem: expect.stringContaining(problem) });
  expect(result.files).toEqual({ first: '1' });
});

test.each<[string, ArchiveLimits, string]>([
  ['files', { files: 2, bytes: 1e9 }, 'it holds more than 2 files'],
  ['bytes, however small the archive is', { files: 10, bytes: 100_000 }, 'its files take more than 100000 bytes'],
  ['time', { files: 10, bytes: 1e9, deadline: 0 }, 'there was no time to unpack all of it'],
])('stops at more than its limit of %s', async (_, limits, problem) => {
  const bytes = tarball(HONEST);
  expect(await read(bytes, limits)).toMatchObject({ sha256: sha256(bytes), problem });
});

test.each<[string, Buffer]>([
  ['text', Buffer.from('no archive')],
  ['nothing', Buffer.alloc(0)],
  ['a compressed archive that was cut off', tarball(HONEST).subarray(0, 400)],
  ['an archive that was cut off', gunzipSync(tarball(HONEST)).subarray(0, 100_000)],
])('says of %s that it cannot be read, and does not wait for more', async (_, bytes) => {
  expect(await read(bytes)).toMatchObject({ sha256: sha256(bytes), problem: expect.stringContaining('cannot be read as a tar archive') });
});

test('a place that cannot be written to is no fault of the archive', async () => {
  const full = readArchive(pieces(tarball(HONEST)), async () => {
    throw new Error('SlowDown');
  });
  await expect(full).rejects.toThrow('SlowDown');
});

test('paths stay within what an S3 key takes', () => {
  expect(safePath('./a//b')).toBe('a/b');
  expect(() => safePath('x'.repeat(701))).toThrow('longer than 700 bytes');
});
