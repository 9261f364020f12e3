import { createHash } from 'node:crypto';
import * as z from 'zod';
import { MODEL_NAME_PATTERN } from '../../lib/common/contract';
import { EVENT_SOURCE, EVENTS, type GovernorPolicy, type RetrainCause } from '../../lib/retraining/contract';
import { shortTime } from '../common/short-time';

const detail = {
  platform: z.string().min(1),
  model: z.string().regex(MODEL_NAME_PATTERN),
  occurredAt: z.iso.datetime({ offset: true }),
};
const window = { version: z.number().int(), windowStart: z.string(), windowEnd: z.string(), evidenceUri: z.string() };

const qualityDegraded = z.object({
  'detail-type': z.literal(EVENTS.qualityDegraded),
  detail: z.object({ ...detail, ...window, metric: z.string().min(1), value: z.number(), bound: z.number() }),
});
const driftDetected = z.object({
  'detail-type': z.literal(EVENTS.driftDetected),
  detail: z.object({ ...detail, ...window, features: z.array(z.string()).min(1) }),
});
const groupGapDetected = z.object({
  'detail-type': z.literal(EVENTS.groupGapDetected),
  detail: z.object({
    ...detail,
    ...window,
    ...{ column: z.string().min(1), metric: z.string().min(1), value: z.number(), bound: z.number(), between: z.array(z.string()) },
  }),
});
/** What the pipeline's first step checks against the data is checked there; here only shape and size. */
const overrides = z.object({
  dataPrefix: z.string().min(1).max(512).optional(),
  dataCommit: z.string().min(1).max(200).optional(),
  hyperparameters: z.record(z.string().min(1).max(256), z.string().max(2500)).refine((all) => Object.keys(all).length <= 100).optional(),
});
const retrainRequested = z.object({
  'detail-type': z.literal(EVENTS.retrainRequested),
  detail: z.object({
    ...detail,
    reason: z.string().min(1).max(1000),
    requestedBy: z.string().min(1).max(200),
    overrides: overrides.optional(),
    proof: z.object({ authorization: z.string().max(4_096), date: z.string().max(32), securityToken: z.string().max(16_384).optional() }).optional(),
  }),
});
const retrainScheduled = z.object({
  'detail-type': z.literal(EVENTS.retrainScheduled),
  detail: z.object({ ...detail, schedule: z.string().min(1) }),
});

/** What a rule may hand to the governor. */
export const causeEvent = z.intersection(
  z.object({ source: z.literal(EVENT_SOURCE) }),
  z.discriminatedUnion('detail-type', [qualityDegraded, driftDetected, groupGapDetected, retrainRequested, retrainScheduled]),
);
export type CauseEvent = z.infer<typeof causeEvent>;

const LISTED_FEATURES = 5;
const list = (names: readonly string[]): string =>
  names.length <= LISTED_FEATURES ? names.join(', ') : `${names.slice(0, LISTED_FEATURES).join(', ')} and ${names.length - LISTED_FEATURES} more`;
const round = (value: number): string => String(Number(value.toPrecision(4)));
const period = (from: string, to: string): string => `${shortTime(from)} to ${shortTime(to)}`;

const describe = (event: CauseEvent): Omit<RetrainCause, 'causeId' | 'occurredAt'> => {
  switch (event['detail-type']) {
    case EVENTS.qualityDegraded: {
      const { metric, value, bound, version, windowStart, windowEnd, evidenceUri } = event.detail;
      const summary = `${metric} ${round(value)} of version ${version} is worse than ${round(bound)} (${period(windowStart, windowEnd)})`;
      return { kind: 'quality', key: metric, summary, evidenceUri };
    }
    case EVENTS.driftDetected: {
      const { features, version, windowStart, windowEnd, evidenceUri } = event.detail;
      const summary = `${list(features)} drifted under version ${version} (${period(windowStart, windowEnd)})`;
      return { kind: 'drift', key: 'drift', summary, evidenceUri };
    }
    case EVENTS.groupGapDetected: {
      const { column, metric, value, bound, between, version, windowStart, windowEnd, evidenceUri } = event.detail;
      const gap = `${metric} ${round(value)} between groups of ${column} (${list(between)})`;
      const summary = `${gap} under version ${version} is worse than ${round(bound)} (${period(windowStart, windowEnd)})`;
      return { kind: 'groups', key: `${column}:${metric}`, summary, evidenceUri };
    }
    case EVENTS.retrainRequested: {
      const { requestedBy, reason, overrides: asked } = event.detail;
      const own = asked && Object.values(asked).some((value) => value !== undefined) ? { overrides: asked } : {};
      return { kind: 'manual', key: requestedBy, summary: `requested by ${requestedBy}: ${reason}`, ...own };
    }
    case EVENTS.retrainScheduled:
      return { kind: 'schedule', key: event.detail.schedule, summary: `due by its schedule ${event.detail.schedule}` };
  }
};

/** Turns an event into the cause it states. The id uses the time as sent, so that a repeated delivery keeps it; the cause is never in the future. */
export const toCause = (event: CauseEvent, now: Date): RetrainCause => {
  const { model } = event.detail;
  const sent = new Date(event.detail.occurredAt);
  const { evidenceUri, overrides: asked, ...described } = describe(event);
  // Two requests of one moment that ask for different runs are two causes.
  const identity = [model, described.kind, described.key, sent.toISOString(), ...(asked ? [asked] : [])];
  const causeId = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32);
  const occurredAt = (sent > now ? now : sent).toISOString();
  return { causeId, ...described, occurredAt, ...(evidenceUri !== undefined && { evidenceUri }), ...(asked && { overrides: asked }) };
};

/** Whether the policy counts the event as a cause at all; rules cannot count the features in an event. */
export const isCause = (event: CauseEvent, policy: GovernorPolicy): boolean =>
  event['detail-type'] !== EVENTS.driftDetected || event.detail.features.length >= (policy.minimumDriftedFeatures ?? 1);
