import { createHash } from 'node:crypto';
import type { DataManifest } from '../../lib/artifacts/contract';
import { constraintsKey } from '../../lib/monitoring/contract';
import { PIPELINE_ERRORS } from '../../lib/pipeline/contract';
import { NamedError } from '../common/errors';
import type { S3Files } from '../common/s3.client';
import { constraintsText, InvalidConstraints, parseConstraints, readConstraints } from '../monitoring/constraints/file';
import type { ConstraintFile } from '../monitoring/constraints/types';
import { dataInvalid } from './data-invalid';

/** Constraints with where they came from. */
export interface ChosenConstraints {
  readonly file: ConstraintFile;
  readonly source: string;
  /** Of the file in the data bucket. */
  readonly versionId?: string;
}

/** Those that people have stored, else those of the champion's baseline, else none. */
export const chooseConstraints = async (
  files: S3Files,
  dataBucket: string,
  model: string,
  baselineUri?: string,
): Promise<ChosenConstraints | undefined> => {
  const source = `s3://${dataBucket}/${constraintsKey(model)}`;
  const head = await files.head(source);
  if (head) return { file: await readStored(files, source, head.versionId), source, versionId: head.versionId };
  if (baselineUri === undefined || !(await files.head(baselineUri))) return undefined;
  const { constraints } = await files.readJson<{ readonly constraints?: unknown }>(baselineUri);
  // Baselines of releases before this one hold none.
  return constraints === undefined ? undefined : { file: readConstraints(constraints, baselineUri), source: baselineUri };
};

const readStored = async (files: S3Files, source: string, versionId?: string): Promise<ConstraintFile> => {
  try {
    return parseConstraints(await files.readText(source, versionId), source);
  } catch (error) {
    if (!(error instanceof InvalidConstraints)) throw error;
    throw dataInvalid(source, `it is no constraint file: ${error.problems.join('; ')}`, 'correct it and store it with `mlops constraints put`');
  }
};

/** Puts the constraints of a run beside what it makes. */
export const keepConstraints = async (files: S3Files, uri: string, { file }: ChosenConstraints): Promise<{ uri: string; sha256: string }> => {
  const text = constraintsText(file);
  await files.putText(uri, text, { contentType: 'application/json' });
  return { uri, sha256: sha256Of(text) };
};

/** The constraints of a run on record, from its own copy. */
export const recordedConstraints = async (files: S3Files, { constraints }: DataManifest): Promise<ChosenConstraints | undefined> => {
  if (!constraints) return undefined;
  const { uri, sha256, source, versionId } = constraints;
  const text = await files.readText(uri);
  if (sha256Of(text) !== sha256) {
    throw new NamedError(PIPELINE_ERRORS.notRebuildable, `${uri} is not what the data was checked against: its SHA-256 differs`);
  }
  return { file: parseConstraints(text, uri), source, ...(versionId !== undefined && { versionId }) };
};

const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');
