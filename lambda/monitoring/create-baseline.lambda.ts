import * as z from 'zod';
import { ARTIFACTS_ENV, baselineKey } from '../../lib/artifacts/contract';
import { MONITORING_ENV, MonitorSpec } from '../../lib/monitoring/contract';
import { BaselineAnswer, BaselineRequest } from '../../lib/monitoring/workflow/contract';
import { TRACKING_ENV } from '../../lib/tracking/contract';
import { requireEnv, requireJsonEnv } from '../common/env';
import { createLogger } from '../common/logger';
import { recordedStep } from '../pipeline/recorded-step';
import { RunTrackerClient } from '../tracking/run-tracker.client';
import { buildBaseline } from './baseline/build';
import { BaselineClient } from './baseline.client';
import { ScoresClient } from './scores.client';

const logger = createLogger('create-baseline');

const uri = z.string().startsWith('s3://');
const request = z.object({ runId: z.string().min(1), trainUri: uri, holdoutUri: uri, candidateScoresUri: uri }) satisfies z.ZodType<BaselineRequest>;

/** The same run again writes the same baseline. The step is on the run's record where the function may write there: a monitor can stand alone. */
export const handler = async (event: unknown): Promise<BaselineAnswer> => {
  const asked = request.parse(event);
  if (process.env[TRACKING_ENV.runsTable] === undefined) return create(asked);
  const inputs = { train: asked.trainUri, scores: asked.candidateScoresUri };
  return recordedStep(new RunTrackerClient(), asked.runId, 'baseline', { inputs }, async () => {
    const result = await create(asked);
    return { result, outputs: { baseline: result.baselineUri } };
  });
};

const create = async ({ runId, trainUri, holdoutUri, candidateScoresUri }: BaselineRequest): Promise<BaselineAnswer> => {
  const spec = requireJsonEnv<MonitorSpec>(MONITORING_ENV.spec);
  const client = new BaselineClient();
  const { baseline, blocks } = await buildBaseline({
    spec,
    runId,
    train: await client.table(trainUri),
    holdout: await client.table(holdoutUri),
    scores: () => new ScoresClient().scores(candidateScoresUri),
  });
  const baselineUri = `s3://${requireEnv(ARTIFACTS_ENV.reportsBucket)}/${baselineKey(spec.model, runId)}`;
  await client.put(baselineUri, baseline, blocks);
  const { trainRows, holdout, features } = baseline;
  const counts = { trainRows, holdoutRows: holdout.rows, features: features.length, blocks: blocks.blocks.length };
  logger.info('baseline written', { model: spec.model, runId, ...counts });
  return { baselineUri };
};
