import { MetricUnit } from '@aws-lambda-powertools/metrics';
import * as z from 'zod';
import { ARTIFACTS_ENV } from '../../lib/artifacts/contract';
import { COMMON_ENV } from '../../lib/common/contract';
import { MONITORING_ENV, MonitorAnswer, MonitorSpec } from '../../lib/monitoring/contract';
import { requireEnv, requireJsonEnv } from '../common/env';
import { Events } from '../common/events.client';
import { createLogger } from '../common/logger';
import { publishMetrics } from '../common/metrics';
import { MonitorClient } from './monitor.client';
import { runMonitor, Window } from './run-monitor';
import { readTime } from './values';

const logger = createLogger('run-monitor');

const time = z.string().transform((text, context) => {
  const milliseconds = readTime(text);
  if (milliseconds === undefined) {
    context.addIssue({ code: 'custom', message: 'must be an ISO 8601 time, e.g. 2012-03-01T00:00:00Z' });
    return z.NEVER;
  }
  return milliseconds;
});

/** A scheduler that does not fill in its context attributes hands them over as they are written. */
const UNFILLED = /^<aws\.scheduler\.[a-z-]+>$/;

const request = z.object({
  windowStart: time.optional(),
  windowEnd: z.preprocess((value) => (typeof value === 'string' && UNFILLED.test(value) ? undefined : value), time.optional()),
});

/** Without an end the window ends at this minute, without a start it has the model's window length. */
const windowOf = (event: unknown, windowSeconds: number): Window => {
  const parsed = request.parse(event ?? {});
  const end = parsed.windowEnd ?? Math.floor(Date.now() / 60_000) * 60_000;
  const start = parsed.windowStart ?? end - windowSeconds * 1000;
  if (start >= end) {
    throw new RangeError(`the window must end after it starts, got ${new Date(start).toISOString()} to ${new Date(end).toISOString()}`);
  }
  return { start, end };
};

export const handler = async (event: unknown): Promise<MonitorAnswer> => {
  const spec = requireJsonEnv<MonitorSpec>(MONITORING_ENV.spec);
  const bus = new Events();
  const answer = await runMonitor(
    {
      platform: requireEnv(COMMON_ENV.platform),
      spec,
      client: new MonitorClient({
        predictions: requireEnv(ARTIFACTS_ENV.predictionsBucket),
        reports: requireEnv(ARTIFACTS_ENV.reportsBucket),
      }),
      putEvent: (detailType, detail) => bus.putEvent(detailType, detail),
      publish: (counts, values) => {
        publishMetrics(spec.model, counts);
        if (Object.keys(values).length > 0) {
          publishMetrics(spec.model, values, MetricUnit.NoUnit);
        }
      },
      now: Date.now,
    },
    windowOf(event, spec.windowSeconds),
  );
  const { model, version, windowStart, windowEnd, rows, driftVerdict, qualityVerdict } = answer;
  logger.info('window judged', { model, version, windowStart, windowEnd, rows, driftVerdict, qualityVerdict });
  return answer;
};
