import type { Command } from 'commander';
import * as z from 'zod';
import { S3Uploads } from '../../lambda/common/s3-upload.client';
import { dependenciesOf } from '../../lambda/registry/dependencies';
import { ModelUnpacker } from '../../lambda/registry/unpack';
import { requirementsOf } from '../../lambda/registry/version-record';
import type { CodeRef, DataSchema, UnpackedModel, VersionRecord } from '../../lib/registry/contract';
import { UsageError } from '../errors';
import { fields } from '../format';
import { type Io, readInput } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform, type Platform } from '../platform';
import { callerOf } from '../retrain/caller';
import { filesOf, s3Of } from './document';
import { ImportFiles, isLoadable } from './import-files';

type Pairs = Readonly<Record<string, string>>;

interface Options extends PlatformOptions {
  readonly artifact: string;
  readonly code?: string;
  readonly trainingCode?: string;
  readonly entryPoint: string;
  readonly image?: string;
  readonly schema?: string;
  readonly metrics?: string;
  readonly metric: Pairs;
  readonly parameter: Pairs;
  readonly tag: Pairs;
  readonly description?: string;
  readonly owner?: string;
  readonly reason?: string;
}

const schemaShape = z.strictObject({
  columns: z.array(z.strictObject({ name: z.string().min(1), type: z.enum(['number', 'string', 'timestamp']) })).min(1),
  target: z.string().min(1),
  timeColumn: z.string().optional(),
}) satisfies z.ZodType<DataSchema>;
const metricsShape = z.record(z.string(), z.number());

const answerShape = z.looseObject({ model_version: z.looseObject({ version: z.union([z.string(), z.number()]) }) });

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('import')
      .description('register a model that was trained elsewhere, with as much of its record as is known')
      .argument('<model>')
      .requiredOption('--artifact <place>', 'the model: archive (tar.gz), directory or s3:// URI; a directory with MLmodel is one that MLflow loads')
      .option('--code <place>', 'code that answers requests: archive, directory or s3:// URI')
      .option('--training-code <place>', 'code that trained it')
      .option('--entry-point <script>', 'script in the code', 'train.py')
      .option('--image <uri>', 'image that it was trained with and is served by')
      .option('--schema <file>', 'JSON: {"columns": [{"name", "type": "number" | "string" | "timestamp"}], "target", "timeColumn"?}')
      .option('--metrics <file>', 'JSON: {"<metric>": <number>}')
      .option('--metric <name=value>', 'one metric; may be repeated', pair, {})
      .option('--parameter <name=value>', 'one hyperparameter; may be repeated', pair, {})
      .option('--tag <key=value>', 'one tag; may be repeated', pair, {})
      .option('--description <text>', 'what it is')
      .option('--owner <who>', 'who answers for the model, where the registry does not know it yet')
      .option('--reason <text>', 'why it is brought in; goes into the history'),
  ).action(async (model: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const platform = await findPlatform(options);
    const { record, source } = await collect(io, platform, model, options);
    const reason = options.reason ?? `imported from ${options.artifact} by ${await callerOf(platform.connection)}`;
    const { description, owner, tag: tags } = options;
    const body = { name: model, source, description, owner, tags, record, reason };
    const answer = answerShape.parse(await platform.api.call('POST', '/api/2.0/mlops/registry/import', body));
    const version = await platform.registry.getVersion(model, Number(answer.model_version.version));
    emit(io, options, version, () =>
      fields(io, {
        model,
        version: `v${version.version}`,
        state: version.state,
        source: version.source,
        'sha256 of the archive': version.artifact?.sha256,
        'its record lacks': version.missing.join(', ') || 'nothing',
      }),
    );
  });
};

function pair(text: string, before: Pairs): Pairs {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined) throw new UsageError(`"${text}" is no pair`, 'write name=value');
  return { ...before, [name]: value };
}

interface Collected {
  readonly record: Partial<VersionRecord>;
  readonly source: string;
}

/** Uploads what is here and puts together what is known; what was not said stays absent, and the registry names it as missing. */
async function collect(io: Io, platform: Platform, model: string, options: Options): Promise<Collected> {
  const files = filesOf(platform.connection);
  const uploads = new S3Uploads(s3Of(platform.connection));
  const root = `s3://${platform.resources.artifactsBucket}/mlflow/imports/${model}/`;
  const imports = new ImportFiles(files, uploads, root);
  const { image, parameter: hyperparameters } = options;
  const schema = options.schema === undefined ? undefined : await readJson(io, options.schema, schemaShape);
  const metrics = { ...(options.metrics === undefined ? {} : await readJson(io, options.metrics, metricsShape)), ...numbers(options.metric) };

  const artifact = await imports.archive(options.artifact, 'model.tar.gz');
  const [inferenceCode, code] = await Promise.all([options.code, options.trainingCode].map((place) => codeOf(imports, place, options.entryPoint)));
  // Beside the model where it was uploaded, else where imports lie: nobody's own bucket is written to.
  const beside = artifact.uri.startsWith(root) ? artifact.uri.replace(/[^/]*$/, '') : `${root}${artifact.sha256.slice(0, 16)}/`;
  const wanted = inferenceCode ?? code;
  const found = image === undefined ? undefined : dependenciesOf(image, undefined, wanted && (await requirementsOf(files, wanted.uri)));
  const dependencies = found && { uri: `${beside}dependencies.txt`, ...found.lock };
  if (found) await files.putText(`${beside}dependencies.txt`, found.text);

  let unpacked: UnpackedModel | undefined;
  if (isLoadable(options.artifact)) unpacked = await imports.unpacked(options.artifact, artifact, `${beside}unpacked/`);
  else if (inferenceCode && schema && image) {
    const requirements = found?.requirements ?? [];
    const about = { inferenceCode, schema, image, requirements, taskKind: '', createdAt: new Date().toISOString() };
    const request = { artifactUri: artifact.uri, codeUri: inferenceCode.uri, target: `${beside}unpacked/`, about };
    const result = await new ModelUnpacker(files, uploads).unpack(request);
    if (result.problem !== undefined) io.err(`${result.problem}\n`);
    unpacked = result.unpacked;
  }
  const record: Partial<VersionRecord> = {
    ...{ artifact, unpacked, inferenceCode, code, image, schema, dependencies },
    ...(Object.keys(metrics).length > 0 && { metrics }),
    ...(Object.keys(hyperparameters).length > 0 && { hyperparameters }),
  };
  return { record, source: unpacked?.uri ?? artifact.uri };
}

const codeOf = async (imports: ImportFiles, place: string | undefined, entryPoint: string): Promise<CodeRef | undefined> => {
  if (place === undefined) return undefined;
  const { uri, sha256 } = await imports.archive(place, 'sourcedir.tar.gz');
  return { uri, sha256, entryPoint };
};

const readJson = async <T>(io: Io, file: string, shape: z.ZodType<T>): Promise<T> => {
  try {
    return shape.parse(JSON.parse((await readInput(io, file)).toString('utf8')));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const why = error instanceof z.ZodError ? z.prettifyError(error).replaceAll('\n', ' ') : (error as Error).message;
    throw new UsageError(`${file} cannot be used: ${why}`, 'see `mlops models import --help`');
  }
};

const numbers = (pairs: Pairs): Record<string, number> =>
  Object.fromEntries(
    Object.entries(pairs).map(([name, text]) => {
      const value = Number(text);
      if (text.trim() === '' || !Number.isFinite(value)) throw new UsageError(`the metric ${name}=${text} is no number`, 'write name=0.5');
      return [name, value];
    }),
  );
