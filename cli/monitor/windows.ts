import { S3Client } from '@aws-sdk/client-s3';
import { S3Files } from '../../lambda/common/s3.client';
import { timeOfKey } from '../../lambda/monitoring/workflow/windows';
import { monitoringPrefix } from '../../lib/artifacts/contract';
import { MONITORING_KEYS, type MonitorResult } from '../../lib/monitoring/contract';
import { CliError } from '../errors';
import type { Platform } from '../platform';

/** How far back is looked for the newest windows, in days, before everything is listed: names of windows begin with their end. */
const LOOK_BACK_DAYS = [3, 60];
const READ_AT_ONCE = 8;

export interface WindowPlace {
  readonly start: number;
  readonly end: number;
  /** Of everything that belongs to the window, with a slash at its end. */
  readonly uri: string;
}

/** Results of a model's monitor as they lie in the reports bucket. */
export class Windows {
  readonly files: S3Files;
  private readonly root: string;

  constructor(
    platform: Platform,
    private readonly model: string,
    private readonly now: () => number = Date.now,
  ) {
    platform.model(model);
    const { connection, resources } = platform;
    this.files = new S3Files(new S3Client({ ...connection, forcePathStyle: connection.endpoint !== undefined }));
    this.root = `s3://${resources.reportsBucket}/${monitoringPrefix(model)}`;
  }

  /** The newest judged windows, the newest last. */
  async latest(count: number): Promise<WindowPlace[]> {
    for (const days of [...LOOK_BACK_DAYS, undefined]) {
      const found = await this.judgedSince(days === undefined ? undefined : this.now() - days * 86_400_000);
      if (found.length >= count || days === undefined) return found.slice(-count);
    }
    return [];
  }

  /** The judged window that ends at a time; without one the newest. */
  async find(end?: string): Promise<WindowPlace> {
    if (end === undefined) {
      const [newest] = await this.latest(1);
      if (newest) return newest;
      const fix = `run it with \`mlops monitor run ${this.model}\`, or wait for its schedule`;
      throw new CliError(`the monitor of ${this.model} has judged no window yet`, fix);
    }
    const wanted = Date.parse(end);
    const found = (await this.judgedSince(wanted - 1000)).find((window) => window.end === wanted);
    if (found) return found;
    throw new CliError(`no window of ${this.model} ends at ${end}`, `\`mlops monitor history ${this.model}\` tells those there are`);
  }

  result(place: WindowPlace): Promise<MonitorResult> {
    return this.files.readJson<MonitorResult>(`${place.uri}${MONITORING_KEYS.result}`);
  }

  async results(places: readonly WindowPlace[]): Promise<MonitorResult[]> {
    const read: MonitorResult[] = [];
    for (let at = 0; at < places.length; at += READ_AT_ONCE) {
      read.push(...(await Promise.all(places.slice(at, at + READ_AT_ONCE).map((place) => this.result(place)))));
    }
    return read;
  }

  report(place: WindowPlace): Promise<Buffer> {
    return this.files.readBytes(`${place.uri}${MONITORING_KEYS.report}`);
  }

  private async judgedSince(time: number | undefined): Promise<WindowPlace[]> {
    const found: WindowPlace[] = [];
    const prefix = `${this.root}windows/`;
    const startAfter = time === undefined ? undefined : `${monitoringPrefix(this.model)}${MONITORING_KEYS.window(0, time).split('-')[0]}`;
    for await (const { uri } of this.files.list(prefix, { startAfter })) {
      const [, end, start] = /\/windows\/(\d{8}T\d{6}Z)-(\d{8}T\d{6}Z)\/result\.json$/.exec(uri) ?? [];
      if (end && start) found.push({ start: timeOfKey(start), end: timeOfKey(end), uri: uri.slice(0, -MONITORING_KEYS.result.length) });
    }
    return found;
  }
}
