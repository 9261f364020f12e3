import type { Tag } from '@aws-sdk/client-sagemaker';
import type { Engine } from './engine';
import { ServiceError, invalid } from './errors';
import type { Images } from './images';
import { LogStream } from './logs';
import type { Metrics } from './metrics';
import type { SageMakerOptions } from './options';
import type { Containers } from './processes';
import { toEvent } from './records';

/** What every part of the service works with. */
export interface Context {
  readonly options: SageMakerOptions;
  readonly engine: Engine;
  readonly containers: Containers;
  readonly images: Images;
  readonly metrics: Metrics;
  readonly tags: Tags;
  readonly streams: Set<LogStream>;
  readonly log: (line: string) => void;
}

export const scaled = (context: Context, seconds: number): number => seconds * 1000 * (context.options.timeScale ?? 1);

/** Waits that a request asks for, or that stand for the world outside, as state machines' waits are. */
export const waited = (context: Context, seconds: number): number => seconds * 1000 * (context.options.waitScale ?? 1);

export function openLog(context: Context, roleArn: string, group: string, stream: string): LogStream {
  const opened = new LogStream(context.engine.logs(roleArn), group, stream, context.log);
  context.streams.add(opened);
  return opened;
}

export function announce(context: Context, what: string, detail: object, arn: string): void {
  context.engine.emit(`SageMaker ${what} State Change`, toEvent(detail), [arn]);
}

/** Tags of everything that has an ARN. */
export class Tags {
  private readonly byArn = new Map<string, Map<string, string>>();

  set(arn: string, tags: readonly Tag[] | undefined): void {
    const known = this.byArn.get(arn) ?? new Map<string, string>();
    for (const { Key, Value } of tags ?? []) known.set(Key!, Value!);
    if (known.size > 50) throw invalid('The number of tags exceeds the limit of 50');
    this.byArn.set(arn, known);
  }

  unset(arn: string, keys: readonly string[]): void {
    for (const key of keys) this.byArn.get(arn)?.delete(key);
  }

  forget(arn: string): void {
    this.byArn.delete(arn);
  }

  list(arn: string): Tag[] {
    const known = this.byArn.get(arn);
    if (!known) throw new ServiceError('ResourceNotFound', `Could not find resource with ARN ${arn}`);
    return [...known].map(([Key, Value]) => ({ Key, Value }));
  }

  /** As maps in events. */
  asObject(arn: string): Record<string, string> {
    return Object.fromEntries(this.byArn.get(arn) ?? []);
  }

  knows(arn: string): boolean {
    return this.byArn.has(arn);
  }
}
