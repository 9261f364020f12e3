import { createHash } from 'node:crypto';
import { DatasetInput, INDEXED_TAGS, LifecycleStage, PipelineRun, Run, RunStatus, TRACKING_KEYS } from '../../lib/tracking/contract';
import type { Item } from '../common/dynamo.client';
import type { Details } from './details.client';
import type { StoredExperiment } from './experiments.client';
import { unpackPoint } from './metric-points';

/** Where the row of a run is; never changes. */
export interface RunPlace {
  readonly runId: string;
  readonly experimentId: string;
  readonly startTime: number;
}

/** What a row says beside its details. */
export interface RunHead extends RunPlace {
  readonly name: string;
  readonly userId: string;
  readonly status: RunStatus;
  readonly endTime?: number;
  readonly lifecycleStage: LifecycleStage;
  /** Of the experiment, when the run's own stage was set. */
  readonly generation: number;
  /** Only where it is not below the experiment's. */
  readonly artifactUri?: string;
  readonly pipeline?: PipelineRun;
}

const RUN_NAME = 'mlflow.runName';
/** Bytes of a key: longer values of tags are found by their digest. */
const INDEXED_VALUE_BYTES = 1_024;

/** Partition of the runs of an experiment with one value of an indexed tag. */
export const tagPartition = (experimentId: string, tag: string, value: string): string => {
  const short = Buffer.byteLength(value) <= INDEXED_VALUE_BYTES ? value : `sha256:${createHash('sha256').update(value).digest('hex')}`;
  return `${TRACKING_KEYS.experiment(experimentId)}#${tag}=${short}`;
};

/** A run that is read and may be changed; `RunRows` writes what changed. */
export class OpenRun {
  /** Items to write with the row, by key. */
  public readonly extra = new Map<string, Item>();
  public headChanged = false;

  constructor(
    public head: RunHead,
    public readonly details: Details,
    public readonly experiment: StoredExperiment,
    public readonly revision: number,
  ) {}

  public get lifecycleStage(): LifecycleStage {
    return this.head.generation === this.experiment.generation ? this.head.lifecycleStage : this.experiment.lifecycleStage;
  }

  public set(changes: Partial<RunHead>): void {
    this.head = { ...this.head, ...changes };
    this.headChanged = true;
  }

  public add(items: readonly Item[]): void {
    for (const item of items) this.extra.set(JSON.stringify([item.pk, item.sk]), item);
  }

  /** The tag is loaded. Name and tag of the name stay in step, and so do the indexed tags and their index. */
  public setTag(tag: string, value: string): void {
    const before = this.details.tags.get(tag);
    if (tag === RUN_NAME && this.head.name !== value) this.set({ name: value });
    if (before === value) return;
    this.details.tags.set(tag, value);
    this.index(tag, before, value);
  }

  public setName(name: string): void {
    if (this.head.name !== name) this.set({ name });
    this.setTag(RUN_NAME, name);
  }

  public deleteTag(tag: string): boolean {
    const before = this.details.tags.get(tag);
    if (before === undefined) return false;
    this.details.tags.delete(tag);
    this.index(tag, before, undefined);
    return true;
  }

  /** Everything is loaded. */
  public toRun(): Run {
    const { runId, experimentId, name, userId, status, startTime, endTime, artifactUri, pipeline } = this.head;
    const models = Object.entries(this.details.models.all());
    const ids = (prefix: string): [string, number][] =>
      models.filter(([key]) => key.startsWith(prefix)).map(([key, step]) => [key.slice(prefix.length), step]);
    return {
      runId,
      experimentId,
      name,
      userId,
      status,
      startTime,
      endTime,
      lifecycleStage: this.lifecycleStage,
      artifactUri: artifactUri ?? `${this.experiment.artifactLocation}/${runId}/artifacts`,
      params: this.details.params.all(),
      tags: this.details.tags.all(),
      metrics: Object.fromEntries(Object.entries(this.details.metrics.all()).map(([key, point]) => [key, unpackPoint(key, point)])),
      datasets: Object.values<DatasetInput>(this.details.datasets.all()),
      modelInputs: ids('in:').map(([id]) => id),
      modelOutputs: ids('out:').map(([modelId, step]) => ({ modelId, step })),
      pipeline,
    };
  }

  private index(tag: string, before: string | undefined, after: string | undefined): void {
    if (!(INDEXED_TAGS as readonly string[]).includes(tag)) return;
    const { runId, experimentId, startTime } = this.head;
    const entry = (value: string, gone?: true): Item => ({
      pk: tagPartition(experimentId, tag, value),
      sk: TRACKING_KEYS.runRow(startTime, runId),
      runId,
      gone,
    });
    if (before !== undefined) this.add([entry(before, true)]);
    if (after !== undefined) this.add([entry(after)]);
  }
}
