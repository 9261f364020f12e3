import { randomUUID } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { capturePrefix, hourPath, labelsPrefix, monitoringPrefix, monitoringWorkPrefix } from '../../lib/artifacts/contract';
import type { MonitorResult, MonitorSpec } from '../../lib/monitoring/contract';
import { constraintsKey, MONITORING_KEYS, shardPath } from '../../lib/monitoring/contract';
import { type ModelVersion, REGISTRY_ERRORS } from '../../lib/registry/contract';
import { NamedError } from '../common/errors';
import { S3Files } from '../common/s3.client';
import { ModelRegistryClient } from '../registry/model-registry.client';
import type { Chunks } from './rows';
import { hourOf, type Hours, type SourceObject } from './workflow/sources';
import { timeOfKey, type Window } from './workflow/windows';

export interface Promotion {
  readonly version: number;
  /** Milliseconds of wall-clock time. */
  readonly at: number;
}

export interface Buckets {
  readonly predictions: string;
  readonly reports: string;
  readonly data: string;
}

/** Constraints that people stored for the model. */
export interface StoredConstraints {
  /** Where, with the version of the object. */
  readonly source: string;
  readonly text: string;
}

/** A file that a window left. */
export interface WindowFile {
  readonly uri: string;
  readonly start: number;
  readonly end: number;
}

const WINDOW_FILE = /^(\d{8}T\d{6}Z)-(\d{8}T\d{6}Z)\/(.+)$/;

/** Name of the error that `open` fails with. */
export const SOURCE_CHANGED = 'SourceChanged';

const SECOND = 1000;

/** The right to judge, as long as it holds. */
export interface Claim {
  readonly etag: string;
}

/** What a conditional write fails with where another one came first. */
const LOST_RACE: ReadonlySet<string> = new Set(['PreconditionFailed', 'ConditionalRequestConflict', 'NoSuchKey']);

/** Recorded requests and labels, what windows left behind, and which version serves when. */
export class MonitorClient {
  constructor(
    private readonly model: string,
    private readonly buckets: Buckets,
    private readonly files: S3Files = new S3Files(),
    private readonly registry: Pick<ModelRegistryClient, 'getVersion' | 'history'> = new ModelRegistryClient(),
  ) {}

  /** When which version began to serve, oldest first. Records tell the second of a request: the one of a promotion belongs to the new version. */
  public async promotions(): Promise<Promotion[]> {
    const history = await this.history();
    return history.flatMap(({ toState, version, at }) =>
      toState === 'Production' && version !== undefined ? [{ version, at: Math.floor(Date.parse(at) / SECOND) * SECOND }] : [],
    );
  }

  public async version(version: number): Promise<ModelVersion> {
    return this.registry.getVersion(this.model, version);
  }

  /** Recorded requests of the hours from `from` to `to`, in the order of their keys. */
  public async captures({ endpointName, variantName }: MonitorSpec, hours: Hours): Promise<SourceObject[]> {
    return this.listed(capturePrefix(endpointName, variantName), hours);
  }

  /** Label objects that arrived in these hours. */
  public async labels(hours: Hours): Promise<SourceObject[]> {
    return this.listed(labelsPrefix(this.model), hours);
  }

  /** The bytes of an object as it was listed. One that was overwritten or deleted since fails with SOURCE_CHANGED before its first byte. */
  public async *open({ key, etag }: Pick<SourceObject, 'key' | 'etag'>): Chunks {
    try {
      yield* (await this.files.readUnchanged(`s3://${this.buckets.predictions}/${key}`, etag)) as AsyncIterable<Uint8Array>;
    } catch (error) {
      if ((error as Error).name === 'PreconditionFailed' || (error as Error).name === 'NoSuchKey') {
        throw new NamedError(SOURCE_CHANGED, `${key} was overwritten or deleted after it was listed`, { cause: error });
      }
      throw error;
    }
  }

  /** The object as it is now. */
  public async current(object: SourceObject): Promise<SourceObject | undefined> {
    const head = await this.files.head(`s3://${this.buckets.predictions}/${object.key}`);
    return head && { ...object, etag: head.etag, bytes: head.bytes };
  }

  /** The constraints as people edited them; undefined where there are none. */
  public async constraints(): Promise<StoredConstraints | undefined> {
    const uri = `s3://${this.buckets.data}/${constraintsKey(this.model)}`;
    const head = await this.files.head(uri);
    if (head === undefined) return undefined;
    const { versionId } = head;
    return { source: versionId === undefined ? uri : `${uri}?versionId=${versionId}`, text: await this.files.readText(uri, versionId) };
  }

  public windowUri(window: Window, name: string): string {
    return `s3://${this.buckets.reports}/${monitoringPrefix(this.model)}${MONITORING_KEYS.window(window.start, window.end)}${name}`;
  }

  public shardUri(window: Window, digest: string, name: string): string {
    return `s3://${this.buckets.reports}/${monitoringWorkPrefix(this.model)}${shardPath(window.start, window.end, digest)}${name}`;
  }

  /** Where the shards of a window are listed. */
  public manifestPlace(window: Window, sources: string): { readonly bucket: string; readonly key: string } {
    const key = `${monitoringWorkPrefix(this.model)}${shardPath(window.start, window.end, sources)}manifest.json`;
    return { bucket: this.buckets.reports, key };
  }

  /** Files of that name of the windows that end after `from` and up to `to`, oldest first. */
  public async windowFiles(name: string, from: number, to: number): Promise<WindowFile[]> {
    const root = `${monitoringPrefix(this.model)}${MONITORING_KEYS.window(from, from).split('/')[0]}/`;
    const found: WindowFile[] = [];
    const startAfter = `${monitoringPrefix(this.model)}${MONITORING_KEYS.window(from, from).slice(0, -1).replace(/-[^-]*$/, '~')}`;
    for await (const { uri, key } of this.files.list(`s3://${this.buckets.reports}/${root}`, { startAfter })) {
      const match = WINDOW_FILE.exec(key.slice(root.length));
      const end = match === null ? Infinity : timeOfKey(match[1]);
      if (end > to) break;
      if (match !== null && match[3] === name) found.push({ uri, start: timeOfKey(match[2]), end });
    }
    return found;
  }

  /** Claims the right to judge until then; undefined where somebody else has it now. */
  public async claim(now: number, until: number): Promise<Claim | undefined> {
    const uri = this.claimUri();
    try {
      const head = await this.files.head(uri);
      if (head !== undefined && Number((await this.files.readJson<{ until?: number }>(uri)).until) > now) return undefined;
      // What was read may be newer than the ETag: then this fails, since somebody else was faster.
      const condition = head === undefined ? { ifAbsent: true } : { ifUnchanged: head.etag };
      return await this.files.putJson(uri, { until, by: randomUUID() }, condition);
    } catch (error) {
      if (LOST_RACE.has((error as Error).name)) return undefined;
      throw error;
    }
  }

  public async release({ etag }: Claim): Promise<void> {
    await this.files.putJson(this.claimUri(), { until: 0, by: randomUUID() }, { ifUnchanged: etag });
  }

  public async result(window: Window): Promise<MonitorResult | undefined> {
    return this.json<MonitorResult>(this.windowUri(window, MONITORING_KEYS.result));
  }

  /** JSON of an object, compressed where its name ends so; undefined where there is none. */
  public async json<T>(uri: string): Promise<T | undefined> {
    const bytes = await this.bytes(uri);
    return bytes === undefined ? undefined : (JSON.parse((uri.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')) as T);
  }

  public async *stream(uri: string): Chunks {
    yield* (await this.files.readStream(uri)) as AsyncIterable<Uint8Array>;
  }

  public async bytes(uri: string): Promise<Buffer | undefined> {
    try {
      return await this.files.readBytes(uri);
    } catch (error) {
      if (['NoSuchKey', 'NotFound'].includes((error as Error).name)) return undefined;
      throw error;
    }
  }

  public async putJson(uri: string, value: unknown): Promise<void> {
    if (uri.endsWith('.gz')) await this.files.put(uri, gzipSync(JSON.stringify(value)));
    else await this.files.putJson(uri, value);
  }

  public async putBytes(uri: string, bytes: Uint8Array): Promise<void> {
    await this.files.put(uri, bytes);
  }

  public async putReport(uri: string, html: string): Promise<void> {
    await this.files.putText(uri, html, { contentType: 'text/html; charset=utf-8' });
  }

  private claimUri(): string {
    return `s3://${this.buckets.reports}/${monitoringPrefix(this.model)}${MONITORING_KEYS.claim}`;
  }

  /** Of a model that is deployed but was never trained the registry knows nothing yet. */
  private async history(): ReturnType<ModelRegistryClient['history']> {
    try {
      return await this.registry.history(this.model);
    } catch (error) {
      if ((error as Error).name === REGISTRY_ERRORS.notFound) return [];
      throw error;
    }
  }

  private async listed(prefix: string, { from, to }: Hours): Promise<SourceObject[]> {
    const last = to === Infinity ? undefined : `${prefix}${hourPath(new Date(to))}~`;
    const found: SourceObject[] = [];
    for await (const { key, etag, bytes } of this.files.list(`s3://${this.buckets.predictions}/${prefix}`, {
      startAfter: `${prefix}${hourPath(new Date(from))}`,
    })) {
      if (last !== undefined && key > last) break;
      const hour = hourOf(key);
      if (hour !== undefined) found.push({ key, etag, bytes, hour });
    }
    return found;
  }
}
