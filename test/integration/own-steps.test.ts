import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { S3Files } from '../../lambda/common/s3.client';
import { lineMonth } from './fragile-model/app';
import { client, deploy, type Deployment } from './harness';
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
}, 300_000);
