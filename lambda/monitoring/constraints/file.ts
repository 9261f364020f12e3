import * as z from 'zod';
import type { ConstraintFile } from './types';

const ID = 'https://github.com/cdk-mlops/cdk-mlops/blob/main/docs/schemas/constraints.schema.json';

const severity = z
  .enum(['error', 'warning'])
  .describe('error: rows that break the rule are set aside, and where too many do the training run stops. warning: recorded only.');
const share = z.number().min(0).max(1);
const column = z.string().min(1);

const rowCount = z
  .strictObject({ atLeast: z.number().int().nonnegative().optional(), atMost: z.number().int().nonnegative().optional(), severity })
  .refine(({ atLeast = 0, atMost = Infinity }) => atLeast <= atMost, 'atLeast is more than atMost: exchange them');
const freshness = z.strictObject({ atMostSeconds: z.number().positive(), severity });

const feature = z.strictObject({
  name: column,
  type: z
    .strictObject({ is: z.enum(['integral', 'fractional', 'string', 'boolean']), allowedShare: share, severity })
    .describe('Share of the values that may be of another type. Whole numbers are fractional ones too; any value is a string.')
    .optional(),
  presence: z.strictObject({ atLeast: share, severity }).describe('Share of the rows that have a value.').optional(),
  domain: z
    .strictObject({ values: z.array(z.string()).min(1), allowedUnseenShare: share, severity })
    .describe('Values that are known, and the share of the values that may be others.')
    .optional(),
  range: z
    .strictObject({ from: z.number().optional(), to: z.number().optional(), allowedShare: share, severity })
    .refine(({ from = -Infinity, to = Infinity }) => from <= to, 'from is more than to: exchange them')
    .describe('Smallest and largest number, and the share of the values that may lie outside.')
    .optional(),
  nonNegative: z.strictObject({ severity }).describe('No value is below zero.').optional(),
  unique: z.strictObject({ atLeast: share, severity }).describe('Distinct values by values; 1: no value comes twice.').optional(),
});

const consistency = z
  .strictObject({ left: column, relation: z.enum(['<=', '<', '=', 'present-with']), right: column, allowedShare: share, severity })
  .describe('left stands in the relation to right wherever both have a value. present-with: where left has a value, right has one.');

/** `constraints/<model>.json`; unknown names are refused, since a rule with a typing error would silently not be checked. */
export const ConstraintFileSchema = z
  .strictObject({
    schemaVersion: z.literal(1),
    model: z.string().min(1),
    origin: z.string().describe('Where it came from: rows and time of the baseline, or "edited".'),
    features: z.array(feature),
    consistency: z.array(consistency),
    columns: z
      .strictObject({ names: z.array(column), severity })
      .describe('Each must be there; others are reported as a warning.')
      .optional(),
    rowCount: rowCount.describe('Rows of a window of the monitor.').optional(),
    freshness: freshness.describe('Age of the newest row at the end of a window.').optional(),
    dataset: z
      .strictObject({ rowCount: rowCount.optional(), freshness: freshness.optional() })
      .describe('The same for a data set as a whole, when a training run starts.')
      .optional(),
    notes: z.array(z.string()).describe('For readers; nothing is checked by it.').optional(),
  })
  .superRefine(({ features }, context) => {
    const names = features.map(({ name }) => name);
    names.forEach((name, index) => {
      if (names.indexOf(name) === index) return;
      context.addIssue({ code: 'custom', path: ['features', index, 'name'], message: `'${name}' stands twice: join the two entries` });
    });
  }) satisfies z.ZodType<ConstraintFile>;

/** A constraint file that cannot be used; the message names every place and what to do. */
export class InvalidConstraints extends Error {
  constructor(
    readonly where: string,
    readonly problems: readonly string[],
  ) {
    super(`${where} is no constraint file: ${problems.join('; ')}`);
    this.name = 'InvalidConstraints';
  }
}

/** @param where file or URI, for messages */
export function parseConstraints(text: string, where: string): ConstraintFile {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new InvalidConstraints(where, [`it is not JSON (${(error as Error).message}): correct the syntax`]);
  }
  return readConstraints(value, where);
}

export function readConstraints(value: unknown, where: string): ConstraintFile {
  const parsed = ConstraintFileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InvalidConstraints(where, parsed.error.issues.map((issue) => `${placeOf(issue.path, value)}: ${issue.message}${fixOf(issue)}`));
}

/** The text that is stored: people edit it, so it stands in lines. */
export const constraintsText = (file: ConstraintFile): string => `${JSON.stringify(file, null, 2)}\n`;

/** JSON Schema of the file, as published in docs/schemas. */
export const constraintsJsonSchema = (): object => {
  const { $schema, ...schema } = z.toJSONSchema(ConstraintFileSchema, { io: 'input' });
  return { $schema, $id: ID, title: 'Constraints on the data of a model', ...schema };
};

/** `features[3] (temp).range.from` */
function placeOf(path: readonly PropertyKey[], file: unknown): string {
  let text = '';
  let value = file;
  for (const part of path) {
    value = (value as Record<PropertyKey, unknown> | undefined)?.[part];
    text += typeof part === 'number' ? `[${part}]` : `${text === '' ? '' : '.'}${String(part)}`;
    const name = (value as { readonly name?: unknown } | undefined)?.name;
    if (typeof part === 'number' && typeof name === 'string') text += ` (${name})`;
  }
  return text === '' ? 'the document' : text;
}

const fixOf = (issue: z.core.$ZodIssue): string => {
  if (issue.code === 'unrecognized_keys') return ': correct its name or remove it';
  if (issue.code === 'invalid_type') return `: write ${/^[aeiou]/.test(issue.expected) ? 'an' : 'a'} ${issue.expected}`;
  return '';
};
