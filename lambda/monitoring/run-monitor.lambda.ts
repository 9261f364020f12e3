import { MetricUnit } from '@aws-lambda-powertools/metrics';
import * as z from 'zod';
import { ARTIFACTS_ENV } from '../../lib/artifacts/contract';
import { COMMON_ENV } from '../../lib/common/contract';
import { MONITORING_ENV, MonitorAnswer, MonitorSpec } from '../../lib/monitoring/contract';
import { MONITOR_LIMITS, type PlanAnswer } from '../../lib/monitoring/workflow/contract';
import { FEATURE_DIMENSION } from '../../lib/operations/contract';
import { requireEnv, requireJsonEnv } from '../common/env';
import { Events } from '../common/events.client';
import { createLogger } from '../common/logger';
import { createMetrics, publishMetrics } from '../common/metrics';
import { BaselineClient } from './baseline.client';
import { countInvocations } from './invocations.client';
import { MonitorClient } from './monitor.client';
import { judge } from './workflow/judge';
import { plan } from './workflow/plan';
import { profile } from './workflow/profile';
import type { Publisher } from './workflow/publish';

const logger = createLogger('run-monitor');

const window = z.object({
  windowStart: z.iso.datetime(),
  windowEnd: z.iso.datetime(),
  mode: z.enum(['small', 'map', 'distributed']).default('small'),
  sources: z.string(),
  manifest: z.object({ bucket: z.string(), key: z.string() }).optional(),
});

const objects = z.array(z.object({ key: z.string(), etag: z.string(), size: z.number() }));

const action = z.discriminatedUnion('action', [
  z.object({ action: z.literal('plan'), request: z.looseObject({}) }),
  z.object({
    action: z.literal('profile'),
    window,
    shard: z.object({ shard: z.number().int(), digest: z.string(), version: z.number().int().optional(), objects: objects.optional() }),
  }),
  z.object({ action: z.literal('judge'), window }),
]);

/** Every state of a run of the monitor; what passes between them are references, never data. */
export const handler = async (event: unknown): Promise<PlanAnswer | MonitorAnswer | object> => {
  const input = action.parse(event);
  const spec = requireJsonEnv<MonitorSpec>(MONITORING_ENV.spec);
  const { model } = spec;
  const client = new MonitorClient(model, {
    predictions: requireEnv(ARTIFACTS_ENV.predictionsBucket),
    reports: requireEnv(ARTIFACTS_ENV.reportsBucket),
    data: requireEnv(ARTIFACTS_ENV.dataBucket),
  });
  const baselines = new BaselineClient();
  switch (input.action) {
    case 'plan': {
      const answer = await plan({ spec, client, baselines, now: Date.now, limits: limits() }, input);
      logger.info('run planned', { model, windows: answer.windows.length, unchanged: answer.unchanged });
      return answer;
    }
    case 'profile':
      await profile({ spec, client, baselines }, input);
      logger.info('shard profiled', { model, windowEnd: input.window.windowEnd, shard: input.shard.shard });
      return {};
    case 'judge': {
      const platform = requireEnv(COMMON_ENV.platform);
      const answer = await judge({ platform, spec, client, baselines, countInvocations, publisher: publisherOf(model) }, input);
      const { version, windowStart, windowEnd, rows, driftVerdict, qualityVerdict, groupsVerdict, constraintsVerdict } = answer;
      logger.info('window judged', { model, version, windowStart, windowEnd, rows, driftVerdict, qualityVerdict, groupsVerdict, constraintsVerdict });
      return answer;
    }
  }
};

const limits = (): typeof MONITOR_LIMITS => ({ ...MONITOR_LIMITS, ...(JSON.parse(process.env[MONITORING_ENV.limits] || '{}') as object) });

function publisherOf(model: string): Publisher {
  const bus = new Events();
  return {
    putEvent: (detailType, detail) => bus.putEvent(detailType, detail),
    count: (values, time) => publishMetrics(model, values, MetricUnit.Count, time),
    measure: (values, time) => publishMetrics(model, values, MetricUnit.NoUnit, time),
    measureFeatures: (metric, values, time) => {
      for (const [feature, value] of Object.entries(values)) {
        const metrics = createMetrics(model);
        metrics.addDimension(FEATURE_DIMENSION, feature);
        metrics.addMetric(metric, MetricUnit.NoUnit, value);
        if (time !== undefined) metrics.setTimestamp(time);
        metrics.publishStoredMetrics();
      }
    },
    now: Date.now,
  };
}
