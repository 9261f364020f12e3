import { capturePrefix, hourPath, labelsPrefix } from '../../lib/artifacts/contract';
import type { MonitorSpec } from '../../lib/monitoring/contract';
import type { ModelVersion } from '../../lib/registry/contract';
import { ListedObject, S3Files } from '../common/s3.client';
import { ModelRegistryClient } from '../registry/model-registry.client';
import { recorded } from '../registry/recorded';
import { Baseline, BaselineSchema } from './baseline';

/** A line of a recorded file and where it stands. */
export interface Line {
  readonly text: string;
  /** `<key>:<number>` */
  readonly where: string;
}

export interface Promotion {
  readonly version: number;
  /** Milliseconds of wall-clock time. */
  readonly at: number;
}

export interface Buckets {
  readonly predictions: string;
  readonly reports: string;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** How long before its event time a row may have been sent or labelled: forecasts are asked for ahead of time. */
const AHEAD = 7 * DAY;
/** How long after its hour a file may still get records of that hour's requests. */
const LATE = DAY;
const BYTES_IN_FLIGHT = 64 * 1024 * 1024;
const OBJECTS_IN_FLIGHT = 16;

/** Everything that monitors read and write: recorded requests, labels, baselines, results, and which version serves. */
export class MonitorClient {
  constructor(
    private readonly buckets: Buckets,
    private readonly files: S3Files = new S3Files(),
    private readonly registry: Pick<ModelRegistryClient, 'champion' | 'history'> = new ModelRegistryClient(),
  ) {}

  public async champion(model: string): Promise<ModelVersion | undefined> {
    return this.registry.champion(model);
  }

  /** When which version began to serve, oldest first. */
  public async promotions(model: string): Promise<Promotion[]> {
    const history = await this.registry.history(model);
    return history.flatMap(({ toState, version, at }) =>
      toState === 'Production' && version !== undefined ? [{ version, at: Date.parse(at) }] : [],
    );
  }

  public async baseline(version: ModelVersion): Promise<Baseline> {
    const { baselineUri } = recorded(version);
    const parsed = BaselineSchema.safeParse(await this.files.readJson(baselineUri));
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new Error(`${baselineUri} is no baseline that this release can read: ${issue.path.join('.')} ${issue.message}`);
    }
    return parsed.data;
  }

  /**
   * Lines of the capture files that can hold rows of the window, file after file in the order of their keys. Where rows have a time of their own
   * they may have been sent long after it (a replay) or up to a week before (a forecast); else the hours of the window bound the search.
   */
  public async *captureLines(spec: MonitorSpec, windowStart: number, windowEnd: number): AsyncGenerator<Line> {
    const prefix = capturePrefix(spec.endpointName, spec.variantName);
    const ownTime = spec.task.timeColumn !== undefined;
    yield* this.lines(prefix, windowStart - (ownTime ? AHEAD : 0), ownTime ? Infinity : windowEnd + LATE);
  }

  /** Lines of the label files that arrived since a week before the window. */
  public async *labelLines(spec: MonitorSpec, windowStart: number): AsyncGenerator<Line> {
    yield* this.lines(labelsPrefix(spec.model), windowStart - AHEAD, Infinity);
  }

  /** Writes result and report of a run; the same window overwrites its own. */
  public async putResult(uris: { readonly resultUri: string; readonly reportUri: string }, result: unknown, report: string): Promise<void> {
    await this.files.putText(uris.reportUri, report, { contentType: 'text/html; charset=utf-8' });
    await this.files.putJson(uris.resultUri, result);
  }

  public reportsUri(key: string): string {
    return `s3://${this.buckets.reports}/${key}`;
  }

  private async *lines(prefix: string, from: number, to: number): AsyncGenerator<Line> {
    const root = `s3://${this.buckets.predictions}/${prefix}`;
    const objects = this.files.list(root, { startAfter: `${prefix}${hourPath(new Date(from))}` });
    for await (const { object, text } of readAhead(until(objects, to === Infinity ? undefined : `${prefix}${hourPath(new Date(to))}~`), this.files)) {
      let number = 0;
      for (const line of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
        number += 1;
        yield { text: line, where: `${object.key}:${number}` };
      }
    }
  }
}

async function* until(objects: AsyncIterable<ListedObject>, lastKey?: string): AsyncGenerator<ListedObject> {
  for await (const object of objects) {
    if (lastKey !== undefined && object.key > lastKey) {
      return;
    }
    yield object;
  }
}

/** Reads objects ahead, bounded by their number and bytes, and hands them out in order. */
async function* readAhead(objects: AsyncIterable<ListedObject>, files: S3Files): AsyncGenerator<{ object: ListedObject; text: string }> {
  const queue: { object: ListedObject; text: Promise<string> }[] = [];
  let bytes = 0;
  const next = async () => {
    const { object, text } = queue.shift()!;
    const read = await text;
    bytes -= object.bytes;
    return { object, text: read };
  };
  for await (const object of objects) {
    while (queue.length > 0 && (queue.length >= OBJECTS_IN_FLIGHT || bytes + object.bytes > BYTES_IN_FLIGHT)) {
      yield await next();
    }
    const text = files.readText(object.uri);
    // The error is thrown where the text is awaited; until then it must not count as unhandled.
    text.catch(() => undefined);
    queue.push({ object, text });
    bytes += object.bytes;
  }
  while (queue.length > 0) {
    yield await next();
  }
}
