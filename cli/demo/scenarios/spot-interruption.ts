import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeTrainingJobCommand,
  type DescribeTrainingJobCommandOutput,
  ListTrainingJobsCommand,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { Faults } from '../../../local/faults';
import type { Platform } from '../../platform';
import { hoursOf } from '../bike-data';
import { DemoClient } from '../client';
import { MODEL } from '../deployed';
import type { Tell } from './model-desk';
import { answered, check, endOf, type Outcome, type Scene } from './scenario';

const POLL_MS = 200;

/** The training job of the only run so far, told as its status changes until it ends. */
const followJob = async (platform: Platform, tell: Tell, isOver: () => boolean): Promise<DescribeTrainingJobCommandOutput | undefined> => {
  const sagemaker = new SageMakerClient(platform.connection);
  let told = 0;
  for (;;) {
    const { TrainingJobSummaries: [found] = [] } = await sagemaker.send(new ListTrainingJobsCommand({ MaxResults: 1 }));
    const job = found && (await sagemaker.send(new DescribeTrainingJobCommand({ TrainingJobName: found.TrainingJobName })));
    const transitions = job?.SecondaryStatusTransitions ?? [];
    transitions.slice(told).forEach(({ Status, StatusMessage }) => tell(`${Status}: ${StatusMessage}`));
    told = transitions.length;
    if (isOver() || (job && job.TrainingJobStatus !== 'InProgress')) return job;
    await sleep(POLL_MS);
  }
};

export const spotInterruption = async ({ stages, desk, hours, platform, engine }: Scene): Promise<Outcome> => {
  const client = new DemoClient(platform, MODEL);
  const faults = new Faults(engine);
  // AWS takes the machine back when it needs it; here a rule does so once there is something to go on from.
  const effect = { kind: 'interrupt-spot', afterCheckpoint: true } as const;
  const rule = await faults.add({ on: 'sagemaker', operation: 'CreateTrainingJob', effect });
  await desk.upload('2011', hoursOf(hours, '2011'));

  const { run, job } = await stages.run('training on spare capacity', async (line) => {
    let over = false;
    const ended = desk.run('first version from the data of 2011', line).finally(() => {
      over = true;
    });
    const [run, job] = await Promise.all([ended, followJob(platform, line, () => over)]);
    return { run, job };
  });

  const struck = (await faults.list()).find(({ id }) => id === rule.id)?.hits;
  const statuses = (job?.SecondaryStatusTransitions ?? []).map(({ Status }) => Status);
  const final = (name: string): number => job?.FinalMetricDataList?.find(({ MetricName }) => MetricName === name)?.Value ?? 0;
  const { TrainingTimeInSeconds: trained = 0, BillableTimeInSeconds: billed = 0 } = job ?? {};
  const wanted = Number(job?.HyperParameters?.rounds?.replaceAll('"', ''));
  const [resumed, rounds] = [final('rounds-from-checkpoint'), final('rounds')];
  const champion = await desk.champion();
  const day = hoursOf(hours, '2012-01-01');
  const predictions = await client.predict(day);
  return {
    checks: [
      check('the machine was taken back while it trained', struck === 1 && statuses.includes('Interrupted'), statuses.join(' → ')),
      check('the same job began again and completed', job?.TrainingJobStatus === 'Completed', `${job?.TrainingJobName}: ${job?.TrainingJobStatus}`),
      check('it went on from its checkpoint', resumed > 0 && resumed < wanted, `${resumed} of ${wanted} rounds were not trained twice`),
      check('the model has all its rounds', rounds === wanted, `${rounds} rounds`),
      check('less is billed than was trained', billed < trained, `${billed} s billed of ${trained} s trained`),
      check('the run promotes its version', run.outcome === 'promoted' && champion === 1, `${endOf(run)}, champion v${champion}`),
      answered(client, day, predictions),
    ],
    figures: [
      { name: 'trainingSeconds', value: trained, unit: 's', what: 'Time of training, both attempts' },
      { name: 'billableSeconds', value: billed, unit: 's', what: 'Time that is billed' },
      { name: 'savingsPercent', value: Math.round(100 * (1 - billed / trained)), unit: '%', what: 'Saved against on demand, as SageMaker tells it' },
      { name: 'roundsFromCheckpoint', value: resumed, unit: `of ${wanted} rounds`, what: 'Kept over the interruption' },
    ],
    files: [],
    requests: { sent: client.requests, failed: client.failures },
  };
};
