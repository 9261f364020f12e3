import { MetricUnit, Metrics } from '@aws-lambda-powertools/metrics';
import { COMMON_ENV } from '../../lib/common/contract';
import { METRICS_NAMESPACE, MODEL_DIMENSION } from '../../lib/operations/contract';
import { requireEnv } from './env';

/** Metrics of one model, with exactly the dimensions `service` (platform) and `Model`; call publishStoredMetrics() at the end. */
export const createMetrics = (model: string): Metrics =>
  new Metrics({
    namespace: METRICS_NAMESPACE,
    serviceName: requireEnv(COMMON_ENV.platform),
    defaultDimensions: { [MODEL_DIMENSION]: model },
  });

/** Publishes values in one EMF line; a plain number counts. They are of now, or of another time in milliseconds of the last two weeks. */
export const publishMetrics = (
  model: string,
  values: Readonly<Record<string, number>>,
  unit: (typeof MetricUnit)[keyof typeof MetricUnit] = MetricUnit.Count,
  time?: number,
): void => {
  const metrics = createMetrics(model);
  for (const [name, value] of Object.entries(values)) metrics.addMetric(name, unit, value);
  if (time !== undefined) metrics.setTimestamp(time);
  metrics.publishStoredMetrics();
};
