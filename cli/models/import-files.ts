import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { create } from 'tar';
import { S3Uploads } from '../../lambda/common/s3-upload.client';
import type { S3Files } from '../../lambda/common/s3.client';
import { digestOf, MANIFEST, type UnpackedFile, type UnpackedManifest } from '../../lambda/registry/unpack';
import type { ArtifactRef, UnpackedModel } from '../../lib/registry/contract';
import { UsageError } from '../errors';

const isS3 = (place: string): boolean => place.startsWith('s3://');

const isDirectory = (place: string): boolean => statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;

/** Whether a place on this machine is a model as MLflow loads it. */
export const isLoadable = (place: string): boolean => !isS3(place) && isDirectory(place) && existsSync(path.join(place, 'MLmodel'));

/** Puts models and code of a person's machine into the platform's artifacts, with that person's own rights. */
export class ImportFiles {
  constructor(
    private readonly files: S3Files,
    private readonly uploads: S3Uploads,
    /** S3 URI below which imports of the model lie, with a slash at its end. */
    private readonly root: string,
  ) {}

  /** An archive as the registry names it: one in S3 stays where it is, a file is uploaded, a directory packed before. */
  async archive(place: string, name: string): Promise<ArtifactRef> {
    if (isS3(place)) return this.stored(place);
    if (!statSync(place, { throwIfNoEntry: false })) throw new UsageError(`${place} does not exist`, 'name a file, a directory or an s3:// URI');
    if (!isDirectory(place)) return this.upload(place, name);
    const scratch = mkdtempSync(path.join(os.tmpdir(), 'mlops-import-'));
    try {
      const packed = path.join(scratch, name);
      // Equal files give an equal archive: neither times nor owners of this machine.
      await create({ gzip: { level: 6 }, cwd: place, file: packed, portable: true, mtime: new Date(0) }, filesIn(place));
      return await this.upload(packed, name);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }

  /** A directory that MLflow loads, beside its archive. */
  async unpacked(directory: string, artifact: ArtifactRef, target: string): Promise<UnpackedModel> {
    const list: UnpackedFile[] = [];
    for (const file of filesIn(directory)) {
      const place = path.join(directory, file);
      list.push({ path: file, ...(await digestFile(place)) });
      await this.uploads.put(target + file, createReadStream(place));
    }
    const sha256 = digestOf(artifact.sha256, list);
    const manifest: UnpackedManifest = { schemaVersion: 1, archive: artifact, sha256, files: list };
    await this.files.putJson(target + MANIFEST, manifest);
    return { uri: target, sha256, files: list.length };
  }

  private async upload(file: string, name: string): Promise<ArtifactRef> {
    const { sha256, bytes } = await digestFile(file);
    const uri = `${this.root}${sha256.slice(0, 16)}/${name}`;
    const present = await this.files.head(uri);
    if (present?.bytes !== bytes) await this.uploads.put(uri, createReadStream(file));
    return { uri, versionId: (await this.files.head(uri))?.versionId, sha256, bytes };
  }

  private async stored(uri: string): Promise<ArtifactRef> {
    const head = await this.files.head(uri);
    if (!head) throw new UsageError(`there is nothing at ${uri}`, 'name an object that you may read');
    return { uri, versionId: head.versionId, ...(await this.files.sha256(uri, head.versionId)) };
  }
}

/** Files below a directory by name, with slashes on every system. */
const filesIn = (directory: string): string[] =>
  (readdirSync(directory, { recursive: true, withFileTypes: true }) as { name: string; parentPath: string; isFile(): boolean }[])
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();

const digestFile = async (file: string): Promise<{ sha256: string; bytes: number }> => {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return { sha256: hash.digest('hex'), bytes: statSync(file).size };
};
