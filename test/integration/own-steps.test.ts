import { DescribeAutoMLJobV2Command, ListAutoMLJobsCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { S3Files } from '../../lambda/common/s3.client';
import { lineMonth } from './fragile-model/app';
import { client, deploy, engineCall, eventually, type Deployment } from './harness';
import { DeployedModel } from './loop';
import { ownStepsApp } from './own-steps/app';

const PLATFORM = 'ownsteps';

let deployment: Deployment;
let model: DeployedModel;

beforeAll(async () => {
  deployment = await deploy(ownStepsApp('OwnSteps', PLATFORM));
  model = await DeployedModel.find(PLATFORM, 'Line');
  for (const month of [0, 1, 2]) await model.upload(`2024-0${month + 1}.csv`, lineMonth(month, 'sound'));
}, 240_000);

afterAll(() => deployment?.destroy(), 120_000);

test('a tuned training without a network goes on with its best job, and steps of one’s own leave their results', async () => {
  const run = await model.train('the first run', '2024-04-01T00:00:00.000Z');
  expect(run).toMatchObject({ status: 'FINISHED', outcome: 'promoted' });
  const { registry } = model.platform;
  const champion = await registry.champion('Line');
  expect(champion).toMatchObject({ version: 1, hyperparameters: { alpha: '0.001' } });

  const { executionArn } = run as unknown as { executionArn: string };
  const { output } = await client(SFNClient).send(new DescribeExecutionCommand({ executionArn }));
  expect(JSON.parse(output ?? '{}')).toMatchObject({ outcome: 'promoted', version: 1 });
  const { artifactsBucket } = model.platform.resources;
  const count = await new S3Files().readText(`s3://${artifactsBucket}/runs/Line/${run.runId}/model/steps/Count/statistics/count.txt`);
  expect(count.trim().split(' ')[0]).toBe(run.runId);
  expect(Number(count.trim().split(' ')[1])).toBeGreaterThan(1000);

  const { steps, billed = [], costUsd } = await eventually('the bill of the run', async () => {
    const record = await model.platform.runs.getRun(run.runId);
    return record.costUsd === undefined ? undefined : record;
  });
  // The jobs of the tuning, of which two ran side by side, and those of processing and scoring.
  const costs = steps.flatMap((step) => (step.costUsd === undefined ? [] : [[step.name, step.costUsd] as const]));
  expect(costs.map(([name]) => name)).toEqual(['Count', 'tune', 'score', 'ScoreMore']);
  // Others may take less than half a second here.
  expect(Object.fromEntries(costs).tune).toBeGreaterThan(0);
  expect(billed.map(({ instanceType }) => instanceType)).toEqual(['ml.m5.large']);
  expect(costUsd).toBeCloseTo(costs.reduce((sum, [, cost]) => sum + cost, 0), 4);
}, 300_000);

test('the built-in algorithm is trained, judged and served without a line of code, beside what AutoML finds', async () => {
  const built = await DeployedModel.find(PLATFORM, 'Built');
  const rows = Array.from({ length: 1500 }, (_, index) => [(index * 7919) % 100, (index * 104_729) % 50]).map(([a, b]) => `${a},${b},${a * 2 + b}`);
  await built.upload('rows.csv', ['a,b,y', ...rows, ''].join('\n'));
  expect(await built.train('the first run', '2024-04-01T00:00:00.000Z')).toMatchObject({ status: 'FINISHED', outcome: 'promoted' });
  expect(await built.platform.registry.champion('Built')).toMatchObject({ version: 1, hyperparameters: { num_round: '60' } });

  const request = { EndpointName: built.resources.endpointName, ContentType: 'text/csv', Body: '10,20\n' };
  const { Body } = await client(SageMakerRuntimeClient).send(new InvokeEndpointCommand(request));
  expect(Math.abs(Number(Body?.transformToString()) - 40)).toBeLessThan(10);

  const sagemaker = client(SageMakerClient);
  const { AutoMLJobSummaries = [] } = await sagemaker.send(new ListAutoMLJobsCommand({ StatusEquals: 'Completed' }));
  const search = await sagemaker.send(new DescribeAutoMLJobV2Command({ AutoMLJobName: AutoMLJobSummaries[0].AutoMLJobName }));
  expect(search).toMatchObject({ AutoMLJobStatus: 'Completed', BestCandidate: { FinalAutoMLJobObjectiveMetric: { MetricName: 'RMSE' } } });
  const { denied } = await engineCall<{ denied: Array<{ role: string }> }>('/_mlops/permissions');
  expect(denied.filter(({ role }) => role.includes('role/OwnSteps-'))).toEqual([]);
}, 120_000);
