import { buildBaseline } from '../../../../lambda/monitoring/baseline/build';
import { BaselineClient } from '../../../../lambda/monitoring/baseline.client';
import { MonitorClient } from '../../../../lambda/monitoring/monitor.client';
import { judge } from '../../../../lambda/monitoring/workflow/judge';
import { plan, type PlanPorts } from '../../../../lambda/monitoring/workflow/plan';
import { profile } from '../../../../lambda/monitoring/workflow/profile';
import type { MonitorAnswer, MonitorResult, MonitorRun, MonitorSpec } from '../../../../lib/monitoring/contract';
import { MONITOR_ERRORS, type PlanInput, type WindowMode } from '../../../../lib/monitoring/workflow/contract';
import { MemoryBucket } from '../../../fakes/memory-s3';
import { normal, random } from '../../../fakes/random';

export const DAY = 86_400_000;
export const HOUR = 3_600_000;

export const SPEC: MonitorSpec = {
  model: 'Rides',
  task: { kind: 'REGRESSION', target: 'rides', timeColumn: 'at' },
  endpointName: 'mlops-rides',
  variantName: 'primary',
  servingKind: 'SERVERLESS',
  samplingPercentage: 100,
  windowSeconds: 86_400,
  delaySeconds: 3600,
  minimumRows: 50,
  references: [{ kind: 'TRAINING' }],
  falseAlarms: { episodes: 1, days: 90, shares: { drift: 0.5, quality: 0.25, groups: 0.25 } },
  persistence: { breaches: 2, windows: 3 },
  qualitySeconds: 28 * 86_400,
  qualityRules: [{ metric: 'rmse', higherIsBetter: false, worseThan: 12 }],
  groupColumns: ['city'],
  groupRules: [],
  groupMinimum: { rows: 30, perClass: 10 },
  featureMetrics: 5,
};

export const HEADER = ['at', 'temp', 'city', 'rides'];
export type Row = readonly [at: string, temp: string, city: string, rides: string];

/** Four rows an hour; rides follow the temperature with an error of 10. */
export function rows(seed: number, from: string, days: number, options: { readonly shift?: number; readonly city?: string } = {}): Row[] {
  const next = random(seed);
  const start = Date.parse(from);
  return Array.from({ length: days * 96 }, (_, quarter) => {
    const temp = normal(next) + (options.shift ?? 0);
    const city = options.city ?? ['rome', 'oslo', 'bonn'][Math.floor(next() * 3)];
    return [new Date(start + quarter * 15 * 60_000).toISOString(), temp.toFixed(4), city, (100 + 20 * temp + 10 * normal(next)).toFixed(2)];
  });
}

export const predictionOf = (row: Row): number => 100 + 20 * Number(row[1]);

const csv = (data: readonly Row[]): string => `${HEADER.join(',')}\n${data.map((row) => row.join(',')).join('\n')}\n`;

/** A line of a capture file: a request with these rows. */
export function captureLine(data: readonly Row[], id: string, options: { readonly eventId?: string; readonly at?: string } = {}): string {
  const body = (text: string, mode: string) => ({ observedContentType: 'text/csv', mode, data: text, encoding: 'CSV' });
  return JSON.stringify({
    captureData: {
      endpointInput: body(data.map((row) => row.slice(0, 3).join(',')).join('\n'), 'INPUT'),
      endpointOutput: body(data.map((row) => String(predictionOf(row))).join('\n'), 'OUTPUT'),
    },
    eventMetadata: { eventId: options.eventId ?? `event-${id}`, inferenceId: id, inferenceTime: options.at ?? data[0][0] },
    eventVersion: '0',
  });
}

export interface Sent {
  readonly id: string;
  readonly rows: readonly Row[];
}

/** Requests of so many rows each. */
export const requestsOf = (data: readonly Row[], size = 12, prefix = 'r'): Sent[] =>
  Array.from({ length: Math.ceil(data.length / size) }, (_, index) => {
    const part = data.slice(index * size, (index + 1) * size);
    return { id: `${prefix}-${part[0][0]}`, rows: part };
  });

const built = new Map<string, ReturnType<typeof buildBaseline>>();

/** Five months of training data and one of holdout; made once for a specification. */
export function baselineOf(spec: MonitorSpec, runId: string): ReturnType<typeof buildBaseline> {
  const key = JSON.stringify([spec, runId]);
  const holdout = rows(2, '2025-01-29T00:00:00Z', 30);
  const chunks = (data: readonly Row[]) => () => [{ where: 'table.csv', chunks: once(csv(data)) }];
  const baseline =
    built.get(key) ??
    buildBaseline({
      spec,
      runId,
      train: chunks(rows(1, '2024-09-01T00:00:00Z', 150)),
      holdout: chunks(holdout),
      scores: () => values(holdout.map((row) => String(predictionOf(row)))),
    });
  built.set(key, baseline);
  return baseline;
}

/** A platform around one model: buckets, a registry, a bus, and a monitor that is run state by state. */
export class World {
  readonly bucket = new MemoryBucket();
  readonly events: { readonly type: string; readonly detail: Readonly<Record<string, unknown>> }[] = [];
  readonly metrics: Record<string, number>[] = [];
  /** Times that metrics were published as of; undefined is now. */
  readonly times: (number | undefined)[] = [];
  readonly promotions: { version: number; at: string }[] = [];
  now = Date.parse('2025-04-01T00:00:00Z');
  invocations: number | undefined;
  /** How often a judge found another one at work. */
  busy = 0;
  /** Called when a run was planned, before its windows are profiled and judged. */
  planned: () => Promise<void> = async () => undefined;

  constructor(readonly spec: MonitorSpec = SPEC) {}

  readonly client = (): MonitorClient =>
    new MonitorClient(this.spec.model, { predictions: 'predictions', reports: 'reports', data: 'data' }, this.bucket.files(), {
      history: async () => this.promotions.map(({ version, at }) => ({ toState: 'Production', version, at }) as never),
      getVersion: async (_: string, version: number) =>
        ({ model: this.spec.model, version, missing: [], gate: {}, sagemakerModelName: 'm', baselineUri: this.baselineUri(version) }) as never,
    });

  /** Baselines stay while a function is warm, which all worlds of a test share. */
  private readonly baselineUri = (version: number): string =>
    `s3://reports/baselines/Rides/run-${version}/${this.spec.windowSeconds}/baseline.json`;

  /** A version with its baseline, which serves from then on. */
  async promote(version: number, at: string): Promise<void> {
    const { baseline, blocks } = await baselineOf(this.spec, `run-${version}`);
    await new BaselineClient(this.bucket.files()).put(this.baselineUri(version), baseline, blocks);
    this.promotions.push({ version, at });
  }

  /** Capture files of the hours in which the requests were sent, or of one hour. */
  record(requests: readonly Sent[], options: { readonly hour?: string; readonly name?: string } = {}): void {
    const byHour = new Map<string, string[]>();
    for (const { id, rows: data } of requests) {
      const hour = (options.hour ?? data[0][0]).slice(0, 13).replace(/[-T]/g, '/');
      byHour.set(hour, [...(byHour.get(hour) ?? []), captureLine(data, id, options.hour === undefined ? {} : { at: options.hour })]);
    }
    for (const [hour, lines] of byHour) this.put(`${hour}/${options.name ?? 'a'}.jsonl`, `${lines.join('\n')}\n`);
  }

  put(path: string, text: string): void {
    this.bucket.objects.set(`predictions/capture/${this.spec.endpointName}/primary/${path}`, text);
  }

  label(requests: readonly Sent[], arrived: string, options: { readonly worse?: number } = {}): void {
    const lines = requests.flatMap(({ id, rows: data }) =>
      data.map((row, rowIndex) =>
        JSON.stringify({ inferenceId: id, rowIndex, value: Number(row[3]) + (options.worse ?? 0), observedAt: arrived, labelVersion: 1 }),
      ),
    );
    const hour = arrived.slice(0, 13).replace(/[-T]/g, '/');
    this.bucket.objects.set(`predictions/labels/Rides/${hour}/${requests[0].id}.jsonl`, `${lines.join('\n')}\n`);
  }

  /** All states of an execution. */
  async run(request: PlanInput['request'] = {}, limits?: PlanPorts['limits']): Promise<MonitorRun & { readonly modes: WindowMode[] }> {
    const ports = { spec: this.spec, client: this.client(), baselines: new BaselineClient(this.bucket.files()) };
    const planned = await plan({ ...ports, now: () => this.now, ...(limits && { limits }) }, { action: 'plan', request });
    await this.planned();
    const windows: MonitorAnswer[] = [];
    for (const { shards, ...window } of planned.windows) {
      const place = window.manifest && `s3://${window.manifest.bucket}/${window.manifest.key}`;
      for (const shard of shards ?? (place === undefined ? [] : (JSON.parse(this.bucket.text(place)) as never[]))) {
        await profile(ports, { action: 'profile', window, shard });
      }
      const countInvocations = async () => this.invocations;
      const { publisher } = this;
      windows.push(await this.retried(() => judge({ ...ports, platform: 'p', countInvocations, publisher }, { action: 'judge', window })));
    }
    return { windows, unchanged: planned.unchanged, modes: planned.windows.map(({ mode }) => mode) };
  }

  /** As the state machine tries again. */
  private async retried<T>(attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if ((error as Error).name !== MONITOR_ERRORS.busy || this.busy > 100_000) throw error;
        this.busy += 1;
        await new Promise(setImmediate);
      }
    }
  }

  result(answer: MonitorAnswer): MonitorResult {
    return JSON.parse(this.bucket.text(answer.resultUri)) as MonitorResult;
  }

  private published(values: Record<string, number>, time: number | undefined): void {
    this.metrics.push(values);
    this.times.push(time);
  }

  private readonly publisher = {
    putEvent: async (type: string, detail: object) => void this.events.push({ type, detail: detail as never }),
    count: (counted: Readonly<Record<string, number>>, time?: number) => this.published(counted, time),
    measure: (measured: Readonly<Record<string, number>>, time?: number) => this.published(measured, time),
    measureFeatures: (metric: string, measured: Readonly<Record<string, number>>, time?: number) =>
      this.published(Object.fromEntries(Object.entries(measured).map(([name, value]) => [`${metric} ${name}`, value])), time),
    now: () => this.now,
  };
}

async function* once(text: string) {
  yield Buffer.from(text);
}

async function* values<T>(list: readonly T[]) {
  yield* list;
}
