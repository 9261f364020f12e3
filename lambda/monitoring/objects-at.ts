import { PERMUTED_ROWS_FILE } from '../../lib/artifacts/contract';
import type { S3Files } from '../common/s3.client';

/** URIs of an object, or of those below a prefix in the order of their keys. */
export async function objectsAt(files: S3Files, uri: string): Promise<string[]> {
  if (!uri.endsWith('/') && (await files.head(uri)) !== undefined) {
    return [uri];
  }
  const found: string[] = [];
  for await (const object of files.list(uri.endsWith('/') ? uri : `${uri}/`)) {
    found.push(object.uri);
  }
  if (found.length === 0) {
    throw new Error(`there is no object at or below ${uri}`);
  }
  return found;
}

export interface ScoreObjects {
  /** Answers to the rows of the holdout; at least one. */
  readonly holdout: readonly string[];
  /** Answers to permuted rows, where there are any. */
  readonly permuted: readonly string[];
}

/** What a batch transform left below a prefix, in the order of keys. */
export async function scoreObjectsAt(files: S3Files, uri: string): Promise<ScoreObjects> {
  const all = (await objectsAt(files, uri)).filter((object) => object.endsWith('.out'));
  const isPermuted = (object: string): boolean => object.endsWith(`/${PERMUTED_ROWS_FILE}.out`);
  const holdout = all.filter((object) => !isPermuted(object));
  if (holdout.length === 0) {
    throw new Error(`no .out object lies below ${uri}: the batch transform left no scores`);
  }
  return { holdout, permuted: all.filter(isPermuted) };
}
