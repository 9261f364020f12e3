import * as z from 'zod';
import { ConstraintFileSchema } from '../constraints/file';
import type { Baseline } from './types';

/** Long lists of numbers are looked at in one pass: a parser for each element would cost more than all the rest. */
const numbers = z.custom<readonly number[]>((value) => Array.isArray(value) && value.every(Number.isFinite), 'must be a list of numbers');
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every((name) => typeof name === 'string');
const names = z.custom<readonly string[]>(isTexts, 'must be a list of texts');
const count = z.number().int().nonnegative();

const shape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('numeric'), edges: numbers, mean: z.number(), deviation: z.number().nonnegative() }),
  z.object({ kind: z.literal('categorical'), categories: names, hasOther: z.boolean() }),
]);

const counts = z.object({
  rows: count,
  missing: count,
  invalid: count,
  counts: numbers,
  offsets: numbers.optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  negative: count.optional(),
  fractional: count.optional(),
  unlisted: z.record(z.string(), count).optional(),
  sketch: z.string().optional(),
});

const feature = z.object({
  name: z.string(),
  role: z.enum(['feature', 'prediction', 'target', 'group']),
  shape,
  counts,
  distinct: z.object({ count, exact: z.boolean() }),
  importance: z.number().min(0).max(1).optional(),
});

const metric = z.object({
  value: z.number(),
  low: z.number().optional(),
  high: z.number().optional(),
  standardError: z.number().optional(),
  degreesOfFreedom: z.number().optional(),
});

const reference = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('TRAINING') }),
  z.object({ kind: z.literal('SAME_SEASON') }),
  z.object({ kind: z.literal('LAST_DAYS'), days: z.number() }),
  z.object({ kind: z.literal('FIXED'), from: z.string(), to: z.string() }),
]);

const promise = z.object({
  fitBlocks: count,
  nullBlocks: count,
  asked: z.number(),
  supported: z.number(),
  episodes: z.number(),
  days: z.number(),
  advisory: z.boolean(),
  sentence: z.string(),
});

const schema = z.object({
  schemaVersion: z.literal(2),
  model: z.string(),
  runId: z.string(),
  columns: names,
  timeColumn: z.string().optional(),
  trainRows: count,
  features: z.array(feature),
  importanceMethod: z.enum(['permutation', 'explained-variance']).optional(),
  skipped: z.array(z.object({ name: z.string(), reason: z.string() })),
  holdout: z.object({
    rows: count,
    blocks: count,
    metrics: z.record(z.string(), metric),
    groups: z.record(z.string(), z.record(z.string(), z.object({ rows: count, metrics: z.record(z.string(), z.number()) }))),
  }),
  constraints: ConstraintFileSchema,
  promises: z.array(z.object({ reference, promise })),
}) satisfies z.ZodType<Baseline>;

/** The baseline in a JSON document; one that this release cannot read is refused with what to do about it. */
export function parseBaseline(document: unknown, uri: string): Baseline {
  if ((document as { readonly schemaVersion?: unknown } | null)?.schemaVersion === 1) {
    throw new Error(
      `${uri} was made by an earlier release and holds no blocks to calibrate with: train the model once more, or invoke its baseline function ` +
        'with runId, trainUri, holdoutUri and candidateScoresUri of that run, which writes the baseline anew',
    );
  }
  const parsed = schema.safeParse(document);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`${uri} is no baseline that this release can read: ${issue.path.join('.')} ${issue.message}`);
  }
  return parsed.data;
}
