import { setTimeout as sleep } from 'node:timers/promises';
import { regression } from '../../lambda/monitoring/statistics';
import { recorded } from '../../lambda/registry/recorded';
import type { DriftVerdict, MonitorAnswer, QualityVerdict } from '../../lib/monitoring/contract';
import type { DecisionRecord } from '../../lib/retraining/contract';
import type { Platform } from '../platform';
import { sendRequest } from '../retrain/send-request';
import { byDay, hoursOf, type Hour } from './bike-data';
import { DemoClient } from './client';
import type { MonthResult } from './result';
import { scorePeriods } from './review';
import { eventually, followRun, type FinishedRun } from './runs';

export const MONTHS = ['2012-01', '2012-02', '2012-03', '2012-04', '2012-05', '2012-06'] as const;

/** Time between two requests of the client while a retraining runs: it must not have to stop for it. */
const PACE_DURING_RUN_MS = 300;

/** Requests that are under way at once; the endpoint takes five. */
const CONCURRENCY = 3;

const DAY_MS = 86_400_000;
const nextMonth = (month: string): string => {
  const [year, number] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number, 1)).toISOString();
};
const nextDay = (day: string): string => new Date(Date.parse(`${day}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10);

export type Tell = (line: string) => void;

/** The replay of the months, on whatever platform the clients point to; nothing in it knows where that runs. */
export class Story {
  public readonly months: Omit<MonthResult, 'rmseOfFirstVersion'>[] = [];
  public readonly client: DemoClient;
  /** Window whose report the summary names: the last one with a finding, else the last one. */
  public report?: MonitorAnswer;

  /** Rows that each version answered, by month. */
  private readonly served = new Map<string, Map<number, number>>();
  private readonly answered: Hour[][] = [];
  private readonly predicted: { readonly hour: Hour; readonly prediction: number }[] = [];
  private labelled = 0;
  private sentUntil = '2012-01-01';

  constructor(
    private readonly platform: Platform,
    private readonly model: string,
    private readonly hours: readonly Hour[],
  ) {
    this.client = new DemoClient(platform, model);
  }

  /** First version: data of 2011, a request by hand, the pipeline to its end. */
  public async firstVersion(tell: Tell): Promise<FinishedRun> {
    await this.client.uploadTrainingData('2011', hoursOf(this.hours, '2011'));
    await sendRequest(this.platform, this.model, {
      reason: 'first version from the data of 2011',
      occurredAt: '2012-01-01T00:00:00Z',
      requestedBy: 'the demo',
    });
    const started = await this.started();
    return followRun(this.platform, this.model, started.runId as string, tell);
  }

  /** One month: the hours as requests, the truth later, the monitor. Answers the run that its verdict started, if any. */
  public async month(month: string, tell: Tell): Promise<DecisionRecord | undefined> {
    const days = byDay(hoursOf(this.hours, month)).filter(({ day }) => day >= this.sentUntil);
    const version = await this.championVersion();
    await this.sendAll(
      days.map((day) => day.hours),
      version,
    );
    if (!this.served.has(month)) throw new Error(`no request of ${month} was answered: ${this.client.firstFailure}`);
    this.sentUntil = nextMonth(month).slice(0, 10);
    await this.deliverTruth(nextMonth(month));
    await this.client.uploadTrainingData(month, hoursOf(this.hours, month));
    const { windows, decision } = await this.watch(month, tell);
    this.note(month, windows);
    return decision?.decision === 'started' ? decision : undefined;
  }

  /** The days that pass while a run is under way: clients go on, hour by hour, and a person who saw the fault asks for what is under way already. */
  public async whileRunning(started: DecisionRecord, tell: Tell): Promise<FinishedRun> {
    let ended = false;
    const run = followRun(this.platform, this.model, started.runId as string, tell).finally(() => {
      ended = true;
    });
    // A failure is told by the await below; until then it must not count as unhandled.
    run.catch(() => undefined);
    await this.askAgain(tell);
    const days = byDay(this.hours.filter((hour) => hour.timestamp.slice(0, 10) >= this.sentUntil));
    let day = 0;
    do {
      await this.dayByHours(days[day].hours, () => ended);
      day += 1;
    } while (!ended);
    const finished = await run;
    // One more day, under the new version.
    await this.dayByHours(days[day].hours, () => true);
    this.sentUntil = nextDay(days[day].day);
    return finished;
  }

  /** Every month as it was and as it would have been with the first version. */
  public async review(): Promise<MonthResult[]> {
    const first = recorded(await this.platform.registry.getVersion(this.model, 1));
    const periods = this.months.map(({ month }) => ({ name: month, hours: hoursOf(this.hours, month) }));
    const scores = await scorePeriods(this.platform, this.model, first.sagemakerModelName, periods);
    return this.months.map((month) => ({ ...month, rmseOfFirstVersion: scores.get(month.month) as number }));
  }

  public async decisions(): Promise<DecisionRecord[]> {
    return this.platform.governor.listDecisions(this.model);
  }

  private async started(): Promise<DecisionRecord> {
    return eventually('the start of the pipeline', 30, async () => (await this.decisions()).find((record) => record.decision === 'started'));
  }

  private async championVersion(): Promise<number> {
    const champion = await this.platform.registry.champion(this.model);
    if (!champion) throw new Error(`${this.model} has no champion: the first run did not promote one`);
    return champion.version;
  }

  private async sendAll(requests: readonly Hour[][], version: number): Promise<void> {
    const queue = [...requests];
    const sender = async (): Promise<void> => {
      for (let hours = queue.shift(); hours; hours = queue.shift()) await this.send(hours, version);
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, sender));
  }

  private async send(hours: Hour[], version: number): Promise<void> {
    const predictions = await this.client.predict(hours);
    if (predictions.length !== hours.length) return;
    this.answered.push(hours);
    hours.forEach((hour, index) => this.predicted.push({ hour, prediction: predictions[index] }));
    const month = hours[0].timestamp.slice(0, 7);
    const counts = this.served.get(month) ?? new Map<number, number>();
    counts.set(version, (counts.get(version) ?? 0) + hours.length);
    this.served.set(month, counts);
  }

  /** A day as single-hour requests at a steady pace; the rest of the day in one request as soon as `hurry` holds. */
  private async dayByHours(hours: Hour[], hurry: () => boolean): Promise<void> {
    for (let index = 0; index < hours.length; index += 1) {
      const version = await this.championVersion();
      if (hurry()) {
        await this.send(hours.slice(index), version);
        return;
      }
      await this.send([hours[index]], version);
      await sleep(PACE_DURING_RUN_MS);
    }
  }

  private async askAgain(tell: Tell): Promise<void> {
    const before = await this.decisions();
    const reason = 'customers complain about the forecast';
    await sendRequest(this.platform, this.model, { reason, occurredAt: `${this.sentUntil}T00:00:00Z`, requestedBy: 'the demo' });
    tellDecision(tell, await this.decisionAfter(before));
  }

  /** The windows that ended in a month, and the governor's decision on the cause that they were, if they were one. */
  private async watch(month: string, tell: Tell): Promise<{ windows: readonly MonitorAnswer[]; decision?: DecisionRecord }> {
    const before = await this.decisions();
    const { windows } = await this.client.monitor({ windowStart: `${month}-01T00:00:00Z`, windowEnd: nextMonth(month) });
    windows.forEach((window) => tell(describe(window)));
    if (!windows.some(({ qualityVerdict }) => qualityVerdict === 'degraded')) return { windows };
    const decision = await this.decisionAfter(before);
    tellDecision(tell, decision);
    return { windows, decision };
  }

  private async decisionAfter(before: readonly DecisionRecord[]): Promise<DecisionRecord> {
    return eventually('the decision of the governor', 30, async () => (await this.decisions())[before.length]);
  }

  private async deliverTruth(observedAt: string): Promise<void> {
    await this.client.recordsDelivered(this.answered.length);
    await this.client.deliverLabels(this.answered.slice(this.labelled), observedAt);
    this.labelled = this.answered.length;
  }

  private note(month: string, windows: readonly MonitorAnswer[]): void {
    const counts = [...(this.served.get(month) ?? [])].sort(([, a], [, b]) => b - a);
    const answers = this.predicted.filter(({ hour }) => hour.timestamp.startsWith(month));
    const truths = answers.map(({ hour }) => hour.count);
    this.months.push({
      month,
      rmse: regression(
        truths,
        answers.map(({ prediction }) => prediction),
      ).rmse as number,
      verdict: {
        drift: worstOf(
          DRIFT,
          windows.map(({ driftVerdict }) => driftVerdict),
        ),
        quality: worstOf(
          QUALITY,
          windows.map(({ qualityVerdict }) => qualityVerdict),
        ),
      },
      features: [...new Set(windows.flatMap(({ driftedFeatures }) => driftedFeatures))],
      servedVersion: counts[0][0],
    });
    this.report = windows.findLast(({ episodes }) => episodes.length > 0) ?? this.report ?? windows.at(-1);
  }
}

/** Worst first. */
const DRIFT: readonly DriftVerdict[] = ['drift', 'ok', 'advisory', 'insufficient-data', 'no-traffic', 'no-baseline'];
const QUALITY: readonly QualityVerdict[] = ['degraded', 'ok', 'insufficient-labels', 'no-rules', 'no-traffic'];

const worstOf = <T>(order: readonly T[], verdicts: readonly T[]): T => order.find((verdict) => verdicts.includes(verdict)) ?? order[order.length - 1];

const tellDecision = (tell: Tell, { decision, reason }: DecisionRecord): void => tell(`governor: ${decision}: ${reason}`);

const describe = (window: MonitorAnswer): string => {
  const drift = window.driftedFeatures.length > 0 ? `drift in ${window.driftedFeatures.join(', ')}` : `drift: ${window.driftVerdict}`;
  const rmse = window.metrics.rmse === undefined ? 'no labels' : `RMSE ${window.metrics.rmse.toFixed(1)}`;
  return `${window.windowEnd.slice(0, 10)}: ${window.rows} rows, ${rmse} (${window.qualityVerdict}), ${drift}`;
};
