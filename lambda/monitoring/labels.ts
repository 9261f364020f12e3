import * as z from 'zod';
import { parseLine } from './json-line';
import type { Rejections } from './rejections';
import type { RuntimeTask } from './task-metrics';
import { readTruth } from './task-metrics';
import { readTime } from './values';

const label = z.object({
  inferenceId: z.string().min(1),
  rowIndex: z.number().int().min(0).default(0),
  value: z.union([z.string(), z.number()]),
  observedAt: z.string(),
  labelVersion: z.number().int().default(1),
});

/** Key under which a label and the row it belongs to meet. */
export const rowKey = (inferenceId: string, rowIndex: number): string => `${rowIndex}|${inferenceId}`;

interface Known {
  readonly truth: number | string;
  readonly labelVersion: number;
  readonly observedAt: number;
}

/** The truth by row: the last label version wins, among equal ones the one observed last. */
export class Labels {
  private readonly known = new Map<string, Known>();

  constructor(
    private readonly task: RuntimeTask,
    private readonly rejections: Rejections,
  ) {}

  public add(line: string, where: string): void {
    if (line.trim() === '') {
      return;
    }
    const parsed = label.safeParse(parseLine(line));
    const observedAt = parsed.success ? readTime(parsed.data.observedAt) : undefined;
    if (!parsed.success || observedAt === undefined) {
      this.rejections.add('label-malformed', where, 'the line is no label');
      return;
    }
    const { inferenceId, rowIndex, value, labelVersion } = parsed.data;
    const truth = readTruth(this.task, value);
    if (truth === undefined) {
      this.rejections.add('label-value', where, `the value cannot be the truth of a ${this.task.kind} task`);
      return;
    }
    const key = rowKey(inferenceId, rowIndex);
    const before = this.known.get(key);
    if (before === undefined || isNewer({ truth, labelVersion, observedAt }, before)) {
      this.known.set(key, { truth, labelVersion, observedAt });
    }
  }

  public truth(inferenceId: string, rowIndex: number): number | string | undefined {
    return this.known.get(rowKey(inferenceId, rowIndex))?.truth;
  }
}

/** Of two labels that differ in nothing but their value the larger wins, so that the order of files does not matter. */
function isNewer(a: Known, b: Known): boolean {
  return a.labelVersion !== b.labelVersion
    ? a.labelVersion > b.labelVersion
    : a.observedAt !== b.observedAt
      ? a.observedAt > b.observedAt
      : String(a.truth) > String(b.truth);
}
