import type { DataManifest } from '../../lib/artifacts/contract';
import { hasCode, type PreparedData, type RebuildComparison, type RebuildDifference } from '../../lib/pipeline/contract';
import type { ModelVersion } from '../../lib/registry/contract';
import type { S3Files } from '../common/s3.client';
import { readArchive } from '../registry/archive';
import { canonicalJson } from '../registry/history';
import type { ImageDigestClient } from '../registry/image-digest.client';
import { readSchema } from '../registry/schema';
import { Digest } from '../registry/unpack';
import { isOwnArgument } from './script-arguments';

/** What a rebuild made. */
export interface Rebuilt {
  readonly prepared: Pick<PreparedData, 'manifestUri' | 'trainUri' | 'codeUri'>;
  readonly trainingJob: {
    readonly ModelArtifacts: { readonly S3ModelArtifacts: string };
    readonly HyperParameters?: Readonly<Record<string, string>> | null;
    readonly AlgorithmSpecification: { readonly TrainingImage: string };
  };
  readonly evaluation: { readonly metrics: Readonly<Record<string, number>> };
}

/** Fields with their values as text, in the order in which they are compared: what went in before what came out. */
export type Fields = ReadonlyMap<string, string>;

const ABSENT = 'nothing';
/** The archive that lies there now against the one that was registered: what is compared must be what was recorded. */
const STORED = 'artifact.sha256 (as stored now)';

/** Every field that differs, in the order of the recorded ones. */
export const differences = (recorded: Fields, rebuilt: Fields): RebuildDifference[] =>
  [...new Set([...recorded.keys(), ...rebuilt.keys()])]
    .map((field) => ({ field, recorded: recorded.get(field) ?? ABSENT, rebuilt: rebuilt.get(field) ?? ABSENT }))
    .filter((pair) => pair.recorded !== pair.rebuilt);

/** Compares a rebuilt version with its record: data, code, image and arguments, then every file of the model by its content, then the metrics. */
export class RebuildCheck {
  constructor(
    private readonly files: S3Files,
    private readonly images: Pick<ImageDigestClient, 'digestOf'>,
  ) {}

  async compare(version: ModelVersion, rebuilt: Rebuilt, reportUri: string): Promise<RebuildComparison> {
    const stored = version.artifact && (await this.digests(version.artifact.uri, version.artifact.versionId));
    const recorded = recordedFields(version, stored?.files);
    const found = await this.rebuiltFields(version, rebuilt, stored?.sha256);
    const all = differences(recorded, found);
    const compared = new Set([...recorded.keys(), ...found.keys()]).size;
    const result = { equal: all.length === 0, version: version.version, compared };
    await this.files.putJson(reportUri, { schemaVersion: 1, model: version.model, ...result, differences: all });
    return { ...result, ...(all.length === 0 ? {} : { difference: all[0] }), reportUri };
  }

  private async rebuiltFields(version: ModelVersion, { prepared, trainingJob, evaluation }: Rebuilt, stored?: string): Promise<Fields> {
    const manifest = await this.files.readJson<DataManifest>(prepared.manifestUri);
    const { target = '', timeColumn } = version.schema ?? {};
    const schema = await readSchema(await this.files.readStream(prepared.trainUri), manifest.columns, target, timeColumn);
    const image = trainingJob.AlgorithmSpecification.TrainingImage;
    const digest = version.imageDigest === undefined ? undefined : await this.images.digestOf(image);
    // An image that holds all code is the code.
    const code = hasCode(prepared.codeUri) ? (await this.files.sha256(prepared.codeUri)).sha256 : digest?.replace('sha256:', '');
    const fields = new Map([['dataId', manifest.dataId], ['code.sha256', code ?? ABSENT], ['image', identity(image, digest)]]);
    addAll(fields, 'hyperparameters', ownArguments(trainingJob.HyperParameters ?? {}));
    fields.set('schema', canonicalJson(schema));
    fields.set(STORED, stored ?? ABSENT);
    addAll(fields, 'model', (await this.digests(trainingJob.ModelArtifacts.S3ModelArtifacts)).files);
    addAll(fields, 'metrics', evaluation.metrics);
    return fields;
  }

  /** Digests of the files, not of the archive: it also holds when and by whom they were packed. */
  private async digests(uri: string, versionId?: string): Promise<{ readonly sha256: string; readonly files: Readonly<Record<string, string>> }> {
    const files: Record<string, string> = {};
    const source: AsyncIterable<Buffer> = await this.files.readStream(uri, versionId);
    const { sha256, problem } = await readArchive(source, async ({ path, content }) => {
      const digest = new Digest(content);
      for await (const chunk of digest.chunks()) void chunk;
      files[path] = digest.result().sha256;
    });
    return { sha256, files: problem === undefined ? files : { ...files, '(unread)': `${sha256}: ${problem}` } };
  }
}

const recordedFields = (version: ModelVersion, files: Readonly<Record<string, string>> = {}): Fields => {
  const { artifact, dataId, code, image, imageDigest, hyperparameters = {}, schema, metrics = {} } = version;
  const fields = new Map([['dataId', dataId ?? ABSENT], ['code.sha256', code?.sha256 ?? ABSENT], ['image', identity(image, imageDigest)]]);
  addAll(fields, 'hyperparameters', ownArguments(hyperparameters));
  fields.set('schema', canonicalJson(schema ?? null));
  fields.set(STORED, artifact?.sha256 ?? ABSENT);
  addAll(fields, 'model', files);
  addAll(fields, 'metrics', metrics);
  return fields;
};

/** A digest says which image it is; without one only its name does. */
const identity = (image: string | undefined, digest: string | undefined): string => digest ?? image ?? ABSENT;

/** Where the code lies and which region it is are no arguments of the script. */
const ownArguments = (all: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => isOwnArgument(name)));

const addAll = (fields: Map<string, string>, group: string, values: Readonly<Record<string, string | number>>): void => {
  for (const name of Object.keys(values).sort()) fields.set(`${group}.${name}`, String(values[name]));
};
