import { setTimeout as sleep } from 'node:timers/promises';
import type { PipelineInput } from '../../lib/pipeline/contract';
import type { WatchedModel } from '../../lib/serving/contract';
import type { ModelRegistryClient } from '../registry/model-registry.client';
import { championMoves, lastGood } from '../registry/rollback-target';
import type { PipelineRuns } from '../retraining/runs.client';

/** An alarm that has gone off. */
export interface GoneOff {
  readonly alarmName: string;
  readonly alarmArn: string;
  /** ISO 8601 */
  readonly time: string;
  readonly reason: string;
}

/** What came of it, in words for the log. */
export interface WatchOutcome {
  readonly runId?: string;
  readonly why: string;
}

/** What the name of a configuration's alarm says beyond its endpoint: version, size, kind. */
const ALARM = /^-v(\d+)-[0-9a-f]+-(?:errors|latency)$/;

/** An endpoint is proven a moment before its version is promoted; an alarm in between is about that version too. */
const PROMOTION_MILLISECONDS = 120_000;
const POLL_MILLISECONDS = 3_000;

export interface WatchOptions {
  readonly promotionMilliseconds?: number;
  readonly pollMilliseconds?: number;
}

/** Starts the rollback of a version whose alarm goes off soon after its promotion: once for each promotion, however many alarms tell of it. */
export class ReleaseWatcher {
  constructor(
    private readonly watched: Readonly<Record<string, WatchedModel>>,
    private readonly registry: Pick<ModelRegistryClient, 'getVersion' | 'history'>,
    private readonly runs: Pick<PipelineRuns, 'start'>,
    private readonly options: WatchOptions = {},
  ) {}

  async handle(alarm: GoneOff): Promise<WatchOutcome> {
    const found = this.find(alarm.alarmName);
    if (!found) return { why: 'no model of this platform has such an alarm' };
    const { model, version, stateMachineArn, watchSeconds } = found;
    await this.promotion(model, version);
    const history = await this.registry.history(model);
    const last = championMoves(history).at(-1);
    if (last?.version !== version) return { why: `version ${version} does not serve` };
    if (last.action !== 'Promoted') return { why: `version ${version} was brought back by a rollback and is not replaced by itself` };
    if (Date.parse(alarm.time) - Date.parse(last.at) > watchSeconds * 1000) return { why: `version ${version} serves for longer than it is watched` };
    const target = lastGood(history);
    if (target === undefined) return { why: `no good version served before version ${version}` };
    const cause = `alarm ${alarm.alarmName} went off within ${watchSeconds} s after the promotion of version ${version}: ${alarm.reason}`;
    const input: PipelineInput = {
      model,
      // Of the promotion, not of the alarm: errors and latency go off together.
      runId: `${model}-rollback-v${version}-${last.at.replace(/[-:.]/g, '')}`,
      causeId: `rollback-v${version}-${last.at}`,
      cause: cause.slice(0, 1_000),
      occurredAt: alarm.time,
      rollbackTo: target,
      rollbackFrom: version,
      startedBy: alarm.alarmArn,
    };
    await this.runs.start(stateMachineArn, input);
    return { runId: input.runId, why: `version ${target} shall serve again` };
  }

  private find(alarmName: string): (WatchedModel & { readonly version: number }) | undefined {
    for (const [endpointName, model] of Object.entries(this.watched)) {
      const [, version] = (alarmName.startsWith(endpointName) && ALARM.exec(alarmName.slice(endpointName.length))) || [];
      if (version !== undefined) return { ...model, version: Number(version) };
    }
    return undefined;
  }

  /** Waits while the version is approved and may be promoted any moment. */
  private async promotion(model: string, version: number): Promise<void> {
    const { promotionMilliseconds = PROMOTION_MILLISECONDS, pollMilliseconds = POLL_MILLISECONDS } = this.options;
    const deadline = Date.now() + promotionMilliseconds;
    while ((await this.registry.getVersion(model, version)).state === 'Approved' && Date.now() < deadline) await sleep(pollMilliseconds);
  }
}
