import { createHash } from 'node:crypto';
import type { DataFile, DataManifest } from '../../lib/artifacts/contract';
import { PIPELINE_ERRORS, type PipelineSpec, type RunOverrides } from '../../lib/pipeline/contract';
import type { ModelVersion } from '../../lib/registry/contract';
import { NamedError } from '../common/errors';
import type { S3Files } from '../common/s3.client';
import { type ChosenConstraints, recordedConstraints } from './constraint-source';
import { dataInvalid } from './data-invalid';
import { isOwnArgument } from './script-arguments';

/** What a run is made from. */
export interface RunSource {
  readonly settings: PipelineSpec;
  /** Only where the run repeats another: the files that it used, in the versions that it saw. */
  readonly dataFiles?: readonly DataFile[];
  /** Keys below the data set's own prefix; all where absent. */
  readonly dataPrefix?: string;
  /** Commit of DVC or lakeFS that the data came from. */
  readonly dataCommit?: string;
  /** What the rows are checked against. */
  readonly constraints?: ChosenConstraints;
}

/** A commit of Git or lakeFS, or any other name of a state of the data that fits on one line. */
export const DATA_COMMIT = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}$/;

/** What the container gets beside the script's own arguments; nobody may set it for a single run. */
const RESERVED = /^sagemaker_/;

/** The settings of one run: what was asked for it alone stands above what the app says. */
export const withOverrides = (settings: PipelineSpec, { hyperparameters = {} }: RunOverrides): PipelineSpec => {
  const reserved = Object.keys(hyperparameters).find((name) => RESERVED.test(name));
  if (reserved !== undefined) {
    throw dataInvalid(`hyperparameter ${reserved}`, 'names that begin with sagemaker_ belong to the container', 'leave it out of the request');
  }
  return Object.keys(hyperparameters).length === 0
    ? settings
    : { ...settings, hyperparameters: { ...settings.hyperparameters, ...hyperparameters } };
};

/** Puts the settings of a run beside what it makes. A second try keeps those of the first, whatever was deployed meanwhile. */
export const keepConfiguration = async (files: S3Files, uri: string, settings: PipelineSpec) => {
  if (!(await files.head(uri))) await files.putText(uri, `${JSON.stringify(settings, null, 2)}\n`, { contentType: 'application/json' });
  const text = await files.readText(uri);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { settings: JSON.parse(text) as PipelineSpec, configuration: { uri, sha256 } };
};

const NEEDED = ['code', 'dataManifestUri', 'configuration', 'hyperparameters', 'image'] as const satisfies readonly (keyof ModelVersion)[];

/** What the record of a version says that its run was made from: settings, script, image by its digest, arguments, and data by their versions. */
export const readRecorded = async (files: S3Files, version: ModelVersion): Promise<RunSource> => {
  const { model, version: number, code, dataManifestUri, configuration, hyperparameters, image, imageDigest } = version;
  if (!code || !dataManifestUri || !configuration || !hyperparameters || !image) {
    const missing = NEEDED.filter((item) => version[item] === undefined).join(', ');
    throw new NamedError(PIPELINE_ERRORS.notRebuildable, `${model} v${number} cannot be made once more: its record lacks ${missing}`);
  }
  const [text, manifest] = await Promise.all([files.readText(configuration.uri), files.readJson<DataManifest>(dataManifestUri)]);
  if (createHash('sha256').update(text).digest('hex') !== configuration.sha256) {
    throw new NamedError(PIPELINE_ERRORS.notRebuildable, `${configuration.uri} is not what ${model} v${number} was made with: its SHA-256 differs`);
  }
  const settings = JSON.parse(text) as PipelineSpec;
  const own = Object.entries(hyperparameters).filter(([name]) => isOwnArgument(name));
  return {
    settings: {
      ...settings,
      hyperparameters: Object.fromEntries(own),
      training: {
        ...settings.training,
        image: byDigest(image, imageDigest),
        entryPoint: code.entryPoint,
        codeUri: code.uri,
        codeSha256: code.sha256,
      },
    },
    dataFiles: manifest.files,
    dataPrefix: manifest.prefix,
    dataCommit: manifest.commit,
    constraints: await recordedConstraints(files, manifest),
  };
};

/** A tag may have moved on since; a digest cannot. */
const byDigest = (image: string, digest?: string): string =>
  digest === undefined || image.includes('@') ? image : `${image.replace(/:[^/:]+$/, '')}@${digest}`;
