import * as z from 'zod';
import { SERVING_ENV, type WatchedModel } from '../../lib/serving/contract';
import { requireJsonEnv } from '../common/env';
import { createLogger } from '../common/logger';
import { ModelRegistryClient } from '../registry/model-registry.client';
import { PipelineRunsClient } from '../retraining/runs.client';
import { ReleaseWatcher } from './watch-release';

const logger = createLogger('serving/watch-release');
const watcher = new ReleaseWatcher(
  requireJsonEnv<Record<string, WatchedModel>>(SERVING_ENV.watched),
  new ModelRegistryClient(),
  new PipelineRunsClient(),
);

const Event = z.object({
  time: z.string(),
  resources: z.array(z.string().startsWith('arn:')).min(1),
  detail: z.object({ alarmName: z.string().min(1), state: z.object({ value: z.literal('ALARM'), reason: z.string().default('no reason given') }) }),
});

/** Target of the alarm rule: what a deployment cannot do any more once it has ended. */
export const handler = async (event: unknown): Promise<void> => {
  const { time, resources, detail } = Event.parse(event);
  const outcome = await watcher.handle({ alarmName: detail.alarmName, alarmArn: resources[0], time, reason: detail.state.reason });
  logger.info('alarm of a configuration', { alarm: detail.alarmName, ...outcome });
};
