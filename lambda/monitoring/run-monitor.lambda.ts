import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { ARTIFACTS_ENV } from '../../lib/artifacts/contract';
import { COMMON_ENV } from '../../lib/common/contract';
import { MONITORING_ENV, MonitorAnswer, MonitorSpec } from '../../lib/monitoring/contract';
import { requireEnv, requireJsonEnv } from '../common/env';
import { Events } from '../common/events.client';
import { createLogger } from '../common/logger';
import { publishMetrics } from '../common/metrics';
import { MonitorClient } from './monitor.client';
import { requestedWindow } from './requested-window';
import { runMonitor } from './run-monitor';

const logger = createLogger('run-monitor');

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
    requestedWindow(event, spec.windowSeconds, Date.now()),
  );
  const { model, version, windowStart, windowEnd, rows, driftVerdict, qualityVerdict } = answer;
  logger.info('window judged', { model, version, windowStart, windowEnd, rows, driftVerdict, qualityVerdict });
  return answer;
};
