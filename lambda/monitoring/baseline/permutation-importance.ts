import * as z from 'zod';
import type { S3Files } from '../../common/s3.client';

/** What the report of a gate tells of features; a report of another make tells nothing. */
const Report = z.object({ importance: z.object({ features: z.array(z.object({ name: z.string(), mean: z.number() })) }) });

/**
 * By feature, as a share of the most important one's: what shuffling it costs the model. Shuffling that costs nothing makes a feature worth nothing.
 * Undefined where the report holds no importance, or where nothing is important.
 */
export const permutationImportance = async (files: S3Files, reportUri: string): Promise<ReadonlyMap<string, number> | undefined> => {
  if ((await files.head(reportUri)) === undefined) return undefined;
  const parsed = Report.safeParse(await files.readJson(reportUri));
  if (!parsed.success) return undefined;
  const { features } = parsed.data.importance;
  const most = features.reduce((largest, { mean }) => Math.max(largest, mean), 0);
  return most > 0 ? new Map(features.map(({ name, mean }) => [name, Math.max(0, mean) / most])) : undefined;
};
