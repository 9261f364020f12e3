import type { DataManifest } from '../../lib/artifacts/contract';
import { hasCode, type PipelineSpec, type PreparedData } from '../../lib/pipeline/contract';
import type { CodeRef, DependencyLock, VersionRecord } from '../../lib/registry/contract';
import type { S3Files } from '../common/s3.client';
import { readArchive } from './archive';
import { dependenciesOf, LARGEST_REQUIREMENTS, REQUIREMENT_FILES } from './dependencies';
import type { ImageDigestClient } from './image-digest.client';
import { readSchema } from './schema';
import type { ModelUnpacker } from './unpack';

/** What the steps before the registration hand on. */
export interface RunResult {
  readonly runId: string;
  readonly causeId: string;
  readonly cause: string;
  readonly manifestUri: string;
  readonly prepared: Pick<PreparedData, 'trainUri' | 'codeUri' | 'configuration' | 'modelOutputUri'>;
  readonly trainingJob: {
    readonly ModelArtifacts: { readonly S3ModelArtifacts: string };
    readonly HyperParameters?: Readonly<Record<string, string>> | null;
    readonly AlgorithmSpecification: { readonly TrainingImage: string };
    /** ISO 8601 */
    readonly LastModifiedTime: string;
  };
  readonly sagemakerModelName: string;
  readonly evaluation: {
    readonly passed: boolean;
    readonly reason: string;
    readonly reportUri: string;
    readonly metrics: Readonly<Record<string, number>>;
  };
  readonly baselineUri: string;
}

export interface CapturedVersion {
  readonly record: VersionRecord;
  /** Where MLflow finds the model: the unpacked files, the archive where it could not be unpacked. */
  readonly source: string;
  /** Why the archive was not unpacked. */
  readonly problem?: string;
}

/** Puts together all that a record holds, from what the run left and the registries know; nothing of it is typed by anybody. */
export class VersionCapture {
  constructor(
    private readonly files: S3Files,
    private readonly unpacker: ModelUnpacker,
    private readonly images: Pick<ImageDigestClient, 'digestOf'>,
  ) {}

  /** @param deadline time (ms since 1970) by which it has to be done */
  async capture(result: RunResult, deadline?: number): Promise<CapturedVersion> {
    const { prepared, trainingJob, evaluation, runId } = result;
    const { configuration, codeUri } = prepared;
    const image = trainingJob.AlgorithmSpecification.TrainingImage;
    const [settings, manifest, imageDigest, archive] = await Promise.all([
      this.files.readJson<PipelineSpec>(configuration.uri),
      this.files.readJson<DataManifest>(result.manifestUri),
      this.images.digestOf(image),
      hasCode(codeUri) ? readCode(this.files, codeUri) : undefined,
    ]);
    const { target, timeColumn, kind } = settings.task;
    const schema = await readSchema(await this.files.readStream(prepared.trainUri), manifest.columns, target, timeColumn);
    const { commit, dirty } = settings;
    const place = archive ? { uri: codeUri, sha256: archive.sha256 } : imageAsCode(image, imageDigest);
    const code: CodeRef = { ...place, entryPoint: settings.training.entryPoint, commit, dirty };
    const found = dependenciesOf(image, imageDigest, archive?.requirements);
    const dependencies: DependencyLock = { uri: beside(configuration.uri, 'dependencies.txt'), ...found.lock };
    await this.files.putText(dependencies.uri, found.text);

    const { artifact, unpacked, problem } = await this.unpacker.unpack({
      artifactUri: trainingJob.ModelArtifacts.S3ModelArtifacts,
      codeUri,
      target: `${prepared.modelOutputUri}/unpacked/`,
      about: {
        runId,
        inferenceCode: code,
        image,
        schema,
        taskKind: kind,
        requirements: found.requirements,
        createdAt: trainingJob.LastModifiedTime,
      },
      deadline,
    });
    const record: VersionRecord = {
      artifact,
      unpacked,
      dataManifestUri: result.manifestUri,
      dataId: manifest.dataId,
      code,
      inferenceCode: code,
      dependencies,
      image,
      imageDigest,
      configuration,
      hyperparameters: trainingJob.HyperParameters ?? {},
      metrics: evaluation.metrics,
      schema,
      gate: { passed: evaluation.passed, reason: evaluation.reason, reportUri: evaluation.reportUri },
      baselineUri: result.baselineUri,
      sagemakerModelName: result.sagemakerModelName,
      runId,
      causeId: result.causeId,
      cause: result.cause,
    };
    return { record, source: unpacked?.uri ?? artifact.uri, ...(problem === undefined ? {} : { problem }) };
  }
}

/** An image that holds all code is the code, by its digest: a tag may mean another image tomorrow. */
const imageAsCode = (image: string, digest: string | undefined): Pick<CodeRef, 'uri' | 'sha256'> => {
  if (digest === undefined) throw new Error(`no registry tells the digest of ${image}, and without it nobody knows which code made this version`);
  return { uri: `${image.replace(/(:[^/:@]+)?(@.*)?$/, '')}@${digest}`, sha256: digest.replace('sha256:', '') };
};

/** Digest of a code archive, and the list of what the code needs, if it has one. */
const readCode = async (files: S3Files, uri: string): Promise<{ readonly sha256: string; readonly requirements?: string }> => {
  const lists = new Map<string, string>();
  const source: AsyncIterable<Buffer> = await files.readStream(uri);
  const { sha256 } = await readArchive(source, async ({ path, bytes, content }) => {
    const chunks: Buffer[] = [];
    const wanted = (REQUIREMENT_FILES as readonly string[]).includes(path) && bytes <= LARGEST_REQUIREMENTS;
    for await (const chunk of content) if (wanted) chunks.push(chunk);
    if (wanted) lists.set(path, Buffer.concat(chunks).toString('utf8'));
  });
  return { sha256, requirements: REQUIREMENT_FILES.map((name) => lists.get(name)).find((text) => text !== undefined) };
};

export const requirementsOf = async (files: S3Files, codeUri: string): Promise<string | undefined> => (await readCode(files, codeUri)).requirements;

const beside = (uri: string, name: string): string => uri.replace(/[^/]*$/, name);
