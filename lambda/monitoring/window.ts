import type { MonitorSpec } from '../../lib/monitoring/contract';
import type { Baseline } from './baseline';
import { Counter, Counts } from './counters';
import type { LabelledRow } from './judge-quality';
import { Labels, rowKey } from './labels';
import type { Line, Promotion } from './monitor.client';
import { RecordReader } from './records';
import { Rejections } from './rejections';
import { readPrediction } from './task-metrics';
import type { Cell } from './values';

/** What a window of event time holds. */
export interface WindowContent {
  readonly requests: number;
  readonly rows: number;
  readonly counts: ReadonlyMap<string, Counts>;
  readonly labelled: readonly LabelledRow[];
  /** Most rows first. */
  readonly servedBy: readonly { readonly version: number; readonly rows: number }[];
}

/** What the window is read from. */
export interface WindowSources {
  readonly captures: AsyncIterable<Line>;
  readonly labels: AsyncIterable<Line>;
  /** Oldest first. */
  readonly promotions: readonly Promotion[];
}

/** Counts the rows of the window and joins the labels; every line and row that cannot be used goes to `rejections`. */
export async function readWindow(
  spec: MonitorSpec,
  baseline: Baseline,
  window: { readonly start: number; readonly end: number },
  sources: WindowSources,
  rejections: Rejections,
): Promise<WindowContent> {
  const reader = new RecordReader(baseline.columns, spec.task, rejections);
  const features = new FeatureCounters(baseline);
  const predictions = new Map<string, { inferenceId: string; rowIndex: number; prediction: Cell }>();
  const events = new Set<string>();
  const seen = new Set<string>();
  const served = new Map<number, number>();
  let requests = 0;
  for await (const line of sources.captures) {
    const request = reader.read(line.text, line.where);
    const inside = request?.rows.filter((row) => row.time >= window.start && row.time < window.end) ?? [];
    if (request === undefined || inside.length === 0) {
      continue;
    }
    // Delivery is at least once: the same record may stand in two files.
    if (events.has(request.eventId)) {
      rejections.add('duplicate-record', line.where, 'the same record was delivered before');
      continue;
    }
    events.add(request.eventId);
    requests += 1;
    const version = versionAt(sources.promotions, request.requestTime);
    for (const row of inside) {
      const key = rowKey(row.inferenceId, row.rowIndex);
      if (seen.has(key)) {
        rejections.add('duplicate-id', line.where, 'a row of this inference id was counted before: ids must be unique');
        continue;
      }
      seen.add(key);
      if (version !== undefined) {
        served.set(version, (served.get(version) ?? 0) + 1);
      }
      features.add(row.values, row.prediction);
      if (row.prediction !== undefined) {
        predictions.set(key, { inferenceId: row.inferenceId, rowIndex: row.rowIndex, prediction: row.prediction });
      }
    }
  }
  const labels = new Labels(spec.task, rejections);
  for await (const line of sources.labels) {
    labels.add(line.text, line.where);
  }
  return {
    requests,
    rows: seen.size,
    counts: features.toCounts(),
    labelled: join(spec, predictions.values(), labels, rejections),
    servedBy: [...served].map(([version, rows]) => ({ version, rows })).sort((a, b) => b.rows - a.rows || b.version - a.version),
  };
}

/** The version that served at a time; the first one also in the moments between its release and its promotion. */
function versionAt(promotions: readonly Promotion[], time: number): number | undefined {
  return (promotions.findLast(({ at }) => at <= time) ?? promotions[0])?.version;
}

function join(
  spec: MonitorSpec,
  predictions: Iterable<{ readonly inferenceId: string; readonly rowIndex: number; readonly prediction: Cell }>,
  labels: Labels,
  rejections: Rejections,
): LabelledRow[] {
  const joined: LabelledRow[] = [];
  for (const { inferenceId, rowIndex, prediction: cell } of predictions) {
    const truth = labels.truth(inferenceId, rowIndex);
    const prediction = readPrediction(spec.task, cell);
    if (prediction === undefined) {
      rejections.add('prediction-value', `row ${rowIndex} of ${inferenceId}`, `the answer is no prediction of a ${spec.task.kind} task`);
    } else if (truth !== undefined) {
      joined.push({ truth, prediction });
    }
  }
  return joined;
}

/** One counter for each watched feature and one for the predictions. */
class FeatureCounters {
  private readonly byColumn: readonly { readonly name: string; readonly column: number; readonly counter: Counter }[];

  constructor(baseline: Baseline) {
    this.byColumn = baseline.features
      .filter((feature) => feature.role !== 'target')
      .map(({ name, role, shape }) => ({ name, column: role === 'prediction' ? -1 : baseline.columns.indexOf(name), counter: new Counter(shape) }));
  }

  public add(values: readonly Cell[], prediction: Cell): void {
    for (const { column, counter } of this.byColumn) {
      if (column >= 0) {
        counter.add(values[column]);
      } else if (prediction !== undefined) {
        counter.add(prediction);
      }
    }
  }

  public toCounts(): ReadonlyMap<string, Counts> {
    return new Map(this.byColumn.map(({ name, counter }) => [name, counter.toCounts()]));
  }
}
