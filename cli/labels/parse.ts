import { parse } from 'csv-parse/sync';
import * as z from 'zod';
import { parseLabelLine } from '../../lambda/monitoring/quality/label-line';
import type { LabelRecord } from '../../lib/serving/contract';
import { CliError } from '../errors';

const SHOWN_PROBLEMS = 10;
const COLUMNS = ['inferenceId', 'rowIndex', 'value', 'observedAt', 'labelVersion'];

const shape = z.strictObject({
  inferenceId: z.string().min(1).max(64),
  rowIndex: z.number().int().min(0).default(0),
  // Null takes an earlier label back.
  value: z.union([z.string().min(1), z.number(), z.null()]),
  observedAt: z.iso.datetime({ offset: true, error: 'must be an ISO 8601 time with an offset, such as 2026-03-01T10:00:00Z' }).optional(),
  labelVersion: z.number().int().min(0).default(1),
});

interface Line {
  readonly number: number;
  readonly value: unknown;
}

/** Labels of JSON lines, ours or SageMaker Model Monitor's, or of CSV: each problem is told with its line, and one is enough to refuse the file. */
export function parseLabels(content: string, now: Date): LabelRecord[] {
  const problems: string[] = [];
  const lines = /^\s*\{/.test(content) ? jsonLines(content, problems) : csvLines(content, problems);
  const labels: LabelRecord[] = [];
  const seen = new Map<string, { readonly line: number; readonly value: LabelRecord['value'] }>();
  for (const { number, value } of lines.flatMap((line) => ours(line, now, problems))) {
    const parsed = shape.safeParse(value);
    if (!parsed.success) {
      problems.push(...parsed.error.issues.map((issue) => `line ${number}: ${[issue.path.join('.'), issue.message].filter(Boolean).join(': ')}`));
      continue;
    }
    const { observedAt } = parsed.data;
    const label: LabelRecord = { ...parsed.data, observedAt: (observedAt === undefined ? now : new Date(observedAt)).toISOString() };
    const key = JSON.stringify([label.inferenceId, label.rowIndex, label.labelVersion]);
    const earlier = seen.get(key);
    if (earlier && earlier.value !== label.value) {
      problems.push(`line ${number}: differs from line ${earlier.line} for the same inferenceId, rowIndex and labelVersion`);
    }
    if (earlier) continue;
    seen.set(key, { line: number, value: label.value });
    labels.push(label);
  }
  if (problems.length) {
    const more = problems.length > SHOWN_PROBLEMS ? `\n  and ${problems.length - SHOWN_PROBLEMS} more` : '';
    const shown = problems.slice(0, SHOWN_PROBLEMS).join('\n  ');
    throw new CliError(`nothing was written, the labels have mistakes:\n  ${shown}${more}`, 'repair these lines');
  }
  if (labels.length === 0) throw new CliError('the file holds no labels', `give JSON lines, or CSV with the columns ${COLUMNS.join(', ')}`);
  return labels;
}

function jsonLines(content: string, problems: string[]): Line[] {
  return content.split('\n').flatMap((text, at) => {
    if (!text.trim()) return [];
    try {
      return [{ number: at + 1, value: JSON.parse(text) as unknown }];
    } catch (error) {
      problems.push(`line ${at + 1}: is not JSON (${(error as Error).message})`);
      return [];
    }
  });
}

/** A line of Model Monitor's ground truth as the labels of its rows; any other line as it is. */
function ours(line: Line, now: Date, problems: string[]): Line[] {
  if (typeof line.value !== 'object' || line.value === null || !('groundTruthData' in line.value)) return [line];
  const labels = parseLabelLine(JSON.stringify(line.value), now.getTime());
  if (typeof labels === 'string') {
    problems.push(`line ${line.number}: ${labels}`);
    return [];
  }
  return labels.map(({ value, observedAt, ...label }) => ({
    number: line.number,
    value: { ...label, value: typeof value === 'string' ? written(value) : value, observedAt: new Date(observedAt).toISOString() },
  }));
}

function csvLines(content: string, problems: string[]): Line[] {
  let rows: { record: Record<string, string>; info: { lines: number } }[];
  try {
    rows = parse(content, { columns: true, bom: true, trim: true, skip_empty_lines: true, info: true }) as unknown as typeof rows;
  } catch (error) {
    problems.push((error as Error).message);
    return [];
  }
  const unknown = Object.keys(rows[0]?.record ?? {}).filter((name) => !COLUMNS.includes(name));
  if (unknown.length) {
    problems.push(`line 1: unknown column ${unknown.join(', ')}; a header with ${COLUMNS.join(', ')} is expected`);
    return [];
  }
  return rows.map(({ record, info }) => ({ number: info.lines, value: typed(record) }));
}

/** A number where it is written as one; `007` is a name. */
const written = (text: string): string | number => (/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? Number(text) : text);

function typed(record: Record<string, string>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record)
      .filter(([, text]) => text !== '')
      .map(([name, text]) => [name, name === 'inferenceId' ? text : written(text)]),
  );
}
