import { createHash } from 'node:crypto';
import type { CodeRef, DataSchema } from '../../lib/registry/contract';
import { frameworkOf } from './dependencies';
import { LOADER_MODULE, type LoaderSettings, PYFUNC_LOADER } from './pyfunc-loader';

/** What the files around a model say about it. */
export interface ModelAbout {
  /** Absent for a model that no run here made. */
  readonly runId?: string;
  readonly inferenceCode: CodeRef;
  readonly image: string;
  readonly schema: DataSchema;
  readonly taskKind: string;
  /** Requirements that pip understands. */
  readonly requirements: readonly string[];
  /** When the model was made, ISO 8601. */
  readonly createdAt: string;
  /** SHA-256 of the archive. */
  readonly archiveSha256: string;
}

/** YAML takes every JSON string as a quoted one. */
const quoted = (text: string): string => JSON.stringify(text);

/**
 * MLflow's own types refuse whole numbers in columns of decimals, decimals in columns of whole numbers, and times as text, or not, by version of
 * pandas; the endpoint refuses none of them. So a column takes anything, and `metadata` says what was in the training data.
 */
const signatureOf = (schema: DataSchema, taskKind: string): { inputs: string; outputs?: string } => ({
  inputs: JSON.stringify(schema.columns.map(({ name }) => ({ type: 'any', name, required: true }))),
  ...(taskKind === 'REGRESSION' ? { outputs: JSON.stringify([{ type: 'tensor', 'tensor-spec': { dtype: 'float64', shape: [-1] } }]) } : {}),
});

/** The file by which MLflow knows a directory as a model. `mlflow_version` is null: no MLflow wrote it. */
const mlModel = (about: ModelAbout): string => {
  const { inputs, outputs } = signatureOf(about.schema, about.taskKind);
  const uuid = createHash('sha256').update(`${about.runId ?? ''}/${about.archiveSha256}`).digest('hex').slice(0, 32);
  return [
    'flavors:',
    '  python_function:',
    '    code: code',
    '    env:',
    '      conda: conda.yaml',
    '      virtualenv: python_env.yaml',
    `    loader_module: ${LOADER_MODULE}`,
    'metadata:',
    '  mlops:',
    `    image: ${quoted(about.image)}`,
    `    target: ${quoted(about.schema.target)}`,
    '    columns:',
    ...about.schema.columns.map(({ name, type }) => `      ${quoted(name)}: ${type}`),
    'mlflow_version: null',
    `model_uuid: ${quoted(uuid)}`,
    ...(about.runId === undefined ? [] : [`run_id: ${quoted(about.runId)}`]),
    'signature:',
    `  inputs: ${quoted(inputs)}`,
    `  outputs: ${outputs === undefined ? 'null' : quoted(outputs)}`,
    '  params: null',
    // MLflow writes it without a zone, in UTC.
    `utc_time_created: ${quoted(about.createdAt.replace('T', ' ').replace('Z', '000'))}`,
    '',
  ].join('\n');
};

/** Everything beside the model's and the script's own files. Which Python an image has its tag does not say, so none is pinned. */
export const supportingFiles = (about: ModelAbout): Readonly<Record<string, string>> => {
  const { framework } = frameworkOf(about.image);
  const settings: LoaderSettings = {
    entryPoint: about.inferenceCode.entryPoint,
    framework,
    columns: about.schema.columns.map(({ name }) => name),
  };
  const pip = about.requirements.length === 0 ? [] : ['- pip:', ...about.requirements.map((line) => `  - ${quoted(line)}`)];
  return {
    MLmodel: mlModel(about),
    'serving.json': JSON.stringify(settings),
    [`code/${LOADER_MODULE}.py`]: PYFUNC_LOADER,
    'requirements.txt': about.requirements.map((line) => `${line}\n`).join(''),
    'conda.yaml': ['name: mlflow-env', 'channels:', '- conda-forge', 'dependencies:', '- pip', ...pip, ''].join('\n'),
    'python_env.yaml': ['dependencies:', '- -r requirements.txt', ''].join('\n'),
  };
};
