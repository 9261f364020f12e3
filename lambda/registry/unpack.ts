import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { hasCode } from '../../lib/pipeline/contract';
import type { ArtifactRef, UnpackedModel } from '../../lib/registry/contract';
import type { S3Uploads } from '../common/s3-upload.client';
import type { S3Files } from '../common/s3.client';
import { ARCHIVE_LIMITS, type ArchiveFile, type ArchiveLimits, readArchive } from './archive';
import { type ModelAbout, supportingFiles } from './mlmodel';

/** One file of an unpacked model. */
export interface UnpackedFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** `manifest.json` of an unpacked model: written last, so where it stands, all of it does. */
export interface UnpackedManifest {
  readonly schemaVersion: 1;
  readonly archive: ArtifactRef;
  /** SHA-256 over archive and files, see `digestOf`. */
  readonly sha256: string;
  readonly files: readonly UnpackedFile[];
}

export const MANIFEST = 'manifest.json';
/** Where the files of the archive lie in an unpacked model; the rest is beside them. */
const MODEL_DIRECTORY = 'model/';
const INFERENCE_DIRECTORY = 'inference/';

export interface Unpacking {
  readonly artifactUri: string;
  /** The image where that holds all code. */
  readonly codeUri: string;
  /** S3 URI of the directory, with a slash at its end. */
  readonly target: string;
  readonly about: Omit<ModelAbout, 'archiveSha256'>;
  /** Time (ms since 1970) by which it has to be done. */
  readonly deadline?: number;
}

export interface Unpacked {
  readonly artifact: ArtifactRef;
  readonly unpacked?: UnpackedModel;
  /** Why the archive was not unpacked. */
  readonly problem?: string;
}

/** One digest for archive and files: of a list like `sha256sum` writes, the archive first, the files by path. */
export const digestOf = (archiveSha256: string, files: readonly UnpackedFile[]): string => {
  const lines = [{ path: 'model.tar.gz', sha256: archiveSha256 }, ...sorted(files)].map(({ path, sha256 }) => `${sha256}  ${path}\n`);
  return createHash('sha256').update(lines.join('')).digest('hex');
};

export const sorted = (files: readonly UnpackedFile[]): UnpackedFile[] => [...files].sort((a, b) => (a.path < b.path ? -1 : 1));

/** Unpacks a model beside its archive, as MLflow loads it. An archive that is refused is digested all the same. */
export class ModelUnpacker {
  constructor(
    private readonly files: S3Files,
    private readonly uploads: S3Uploads,
  ) {}

  async unpack(request: Unpacking): Promise<Unpacked> {
    const { artifactUri, target } = request;
    // Head first: the digest is that of the object version which the record names, even if the key is written again meanwhile.
    const head = await this.files.head(artifactUri);
    if (!head) throw new Error(`the training job named ${artifactUri} as its model, but nothing is there`);
    const before = await this.finished(target);
    if (before?.archive.uri === artifactUri && before.archive.versionId === head.versionId) return toUnpacked(target, before);

    const found = new Map<string, UnpackedFile>();
    const limits = { ...ARCHIVE_LIMITS, deadline: request.deadline };
    if (!hasCode(request.codeUri)) return this.digestOnly(artifactUri, head.versionId, limits);
    const model = await this.copy(await this.files.readStream(artifactUri, head.versionId), target + MODEL_DIRECTORY, limits);
    const artifact: ArtifactRef = { uri: artifactUri, versionId: head.versionId, sha256: model.sha256, bytes: model.bytes };
    if (model.problem !== undefined) return { artifact, problem: `the model was not unpacked: ${model.problem}` };
    const code = await this.copy(await this.files.readStream(request.codeUri), target + INFERENCE_DIRECTORY, limits);
    if (code.problem !== undefined) return { artifact, problem: `the code was not unpacked: ${code.problem}` };

    for (const file of model.files) found.set(MODEL_DIRECTORY + file.path, { ...file, path: MODEL_DIRECTORY + file.path });
    for (const file of code.files) found.set(INFERENCE_DIRECTORY + file.path, { ...file, path: INFERENCE_DIRECTORY + file.path });
    for (const [path, text] of Object.entries(supportingFiles({ ...request.about, archiveSha256: model.sha256 }))) {
      await this.files.putText(target + path, text);
      const bytes = Buffer.from(text);
      found.set(path, { path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
    }
    const list = sorted([...found.values()]);
    const manifest: UnpackedManifest = { schemaVersion: 1, archive: artifact, sha256: digestOf(artifact.sha256, list), files: list };
    await this.files.putJson(target + MANIFEST, manifest);
    return toUnpacked(target, manifest);
  }

  /** Only the image knows how to load the model, so unpacked files would help nobody. */
  private async digestOnly(uri: string, versionId: string | undefined, limits: ArchiveLimits): Promise<Unpacked> {
    const { sha256, bytes } = await readArchive(
      (await this.files.readStream(uri, versionId)) as AsyncIterable<Buffer>,
      async ({ content }) => {
        for await (const chunk of content) void chunk;
      },
      limits,
    );
    return { artifact: { uri, versionId, sha256, bytes }, problem: 'the model was not unpacked: its code is in the image, which MLflow cannot load' };
  }

  private async finished(target: string): Promise<UnpackedManifest | undefined> {
    return (await this.files.head(target + MANIFEST)) ? this.files.readJson<UnpackedManifest>(target + MANIFEST) : undefined;
  }

  private async copy(source: Readable, target: string, limits: ArchiveLimits) {
    const files = new Map<string, UnpackedFile>();
    const copyOne = async (file: ArchiveFile): Promise<void> => {
      const digest = new Digest(file.content);
      await this.uploads.put(target + file.path, digest.chunks());
      files.set(file.path, { path: file.path, ...digest.result() });
    };
    const read = await readArchive(source as AsyncIterable<Buffer>, copyOne, limits);
    return { ...read, files: [...files.values()] };
  }
}

const toUnpacked = (target: string, { archive, sha256, files }: UnpackedManifest): Unpacked => ({
  artifact: archive,
  unpacked: { uri: target, sha256, files: files.length },
});

/** Passes content on and knows its size and SHA-256 at the end. */
export class Digest {
  private readonly hash = createHash('sha256');
  private bytes = 0;

  constructor(private readonly content: AsyncIterable<Buffer>) {}

  async *chunks(): AsyncGenerator<Buffer> {
    for await (const chunk of this.content) {
      this.hash.update(chunk);
      this.bytes += chunk.length;
      yield chunk;
    }
  }

  /** Once all chunks were read. */
  result(): { readonly bytes: number; readonly sha256: string } {
    return { bytes: this.bytes, sha256: this.hash.digest('hex') };
  }
}
