import { parseBaseline } from '../../lambda/monitoring/baseline/schema';
import type { Baseline } from '../../lambda/monitoring/baseline/types';
import { parseConstraints, readConstraints } from '../../lambda/monitoring/constraints/file';
import type { ConstraintFile } from '../../lambda/monitoring/constraints/types';
import { constraintsKey } from '../../lib/monitoring/contract';
import { CliError } from '../errors';
import { filesOf } from '../models/document';
import type { Platform } from '../platform';

/** Constraints of a model as its runs and its monitor find them. */
export interface InForce {
  readonly file: ConstraintFile;
  readonly source: string;
  readonly versionId?: string;
}

export const storedUri = (platform: Platform, model: string): string => `s3://${platform.resources.dataBucket}/${constraintsKey(model)}`;

/** The file that people have stored, else what the champion's baseline suggests. */
export async function inForce(platform: Platform, model: string): Promise<InForce> {
  const files = filesOf(platform.connection);
  const source = storedUri(platform, model);
  const head = await files.head(source);
  if (!head) return suggestedFor(platform, model);
  const { versionId } = head;
  return { file: parseConstraints(await files.readText(source, versionId), source), source, ...(versionId !== undefined && { versionId }) };
}

export async function suggestedFor(platform: Platform, model: string): Promise<InForce> {
  const { uri, document } = await baselineDocument(platform, model);
  const { constraints } = document as { readonly constraints?: unknown };
  if (constraints === undefined) {
    throw new CliError(`the baseline ${uri} holds no constraints: an earlier release made it`, 'train the model once more, or suggest from a file');
  }
  return { file: readConstraints(constraints, uri), source: uri };
}

/** Baseline of the version that serves. */
export async function baselineOf(platform: Platform, model: string): Promise<Baseline> {
  const { uri, document } = await baselineDocument(platform, model);
  return parseBaseline(document, uri);
}

async function baselineDocument(platform: Platform, model: string): Promise<{ readonly uri: string; readonly document: unknown }> {
  platform.model(model);
  const champion = await platform.registry.champion(model);
  if (!champion) {
    throw new CliError(`no version of ${model} serves yet: there is no baseline`, 'suggest from a file: `mlops constraints suggest data.csv`');
  }
  const uri = champion.baselineUri;
  if (uri === undefined) throw new CliError(`version ${champion.version} of ${model} has no baseline on record`, 'suggest from a file instead');
  return { uri, document: await filesOf(platform.connection).readJson(uri) };
}
