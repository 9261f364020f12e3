import type { MonitorSpec } from '../../lib/monitoring/contract';
import type { Window } from './workflow/windows';

/** Requests that an endpoint counted between two times, whole hours; undefined where CloudWatch knows of none. */
export type CountInvocations = (spec: MonitorSpec, window: Window) => Promise<number | undefined>;

/** CloudWatch keeps hourly sums for 455 days and answers at most 1,440 of them. */
const HOUR = 3600;
const MOST_POINTS = 1440;

export const countInvocations: CountInvocations = async ({ endpointName, variantName }, window) => {
  // Only endpoints on instances record a share of their requests: the others need no client, whose loading takes longer than all the rest.
  const { CloudWatchClient, GetMetricStatisticsCommand } = await import('@aws-sdk/client-cloudwatch');
  const hours = Math.ceil((window.end - window.start) / (HOUR * 1000));
  const answer = await new CloudWatchClient({}).send(
    new GetMetricStatisticsCommand({
      Namespace: 'AWS/SageMaker',
      MetricName: 'Invocations',
      Dimensions: [
        { Name: 'EndpointName', Value: endpointName },
        { Name: 'VariantName', Value: variantName },
      ],
      StartTime: new Date(window.start),
      EndTime: new Date(window.end),
      Period: HOUR * Math.ceil(hours / MOST_POINTS),
      Statistics: ['Sum'],
    }),
  );
  const points = answer.Datapoints ?? [];
  return points.length === 0 ? undefined : points.reduce((sum, { Sum }) => sum + (Sum ?? 0), 0);
};
