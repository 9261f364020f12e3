import { COMMON_ENV } from '../../../lib/common/contract';
import { METRICS } from '../../../lib/operations/contract';

test('values of another time are published as of then', async () => {
  process.env[COMMON_ENV.platform] = 'Platform';
  const { publishMetrics } = await import('../../../lambda/common/metrics');
  const lines = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  const yesterday = Date.now() - 86_400_000;
  publishMetrics('Bikes', { [METRICS.monitoredRows]: 7 }, 'Count', yesterday);
  const [[line]] = lines.mock.calls;
  lines.mockRestore();
  expect(JSON.parse(line as string)._aws.Timestamp).toBe(yesterday);
});

test('metrics carry the dimensions of the alarms, service and Model, and no other', async () => {
  process.env[COMMON_ENV.platform] = 'Platform';
  const { publishMetrics } = await import('../../../lambda/common/metrics');
  const lines = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  publishMetrics('Bikes', { [METRICS.pipelineSucceeded]: 1, [METRICS.candidateRejected]: 0 });
  const [[line]] = lines.mock.calls;
  lines.mockRestore();
  const { _aws: aws, ...values } = JSON.parse(line as string);
  expect(aws.CloudWatchMetrics).toEqual([
    {
      Namespace: 'CdkMlOps',
      Dimensions: [['service', 'Model']],
      Metrics: [{ Name: 'PipelineSucceeded', Unit: 'Count' }, { Name: 'CandidateRejected', Unit: 'Count' }],
    },
  ]);
  expect(values).toEqual({ service: 'Platform', Model: 'Bikes', PipelineSucceeded: 1, CandidateRejected: 0 });
});
