import * as z from 'zod';
import { ARTIFACTS_ENV, baselineKey, gateReportsPrefix } from '../../lib/artifacts/contract';
import { MONITORING_ENV, MonitorSpec } from '../../lib/monitoring/contract';
import { BaselineAnswer, BaselineRequest } from '../../lib/monitoring/workflow/contract';
import { TRACKING_ENV } from '../../lib/tracking/contract';
import { requireEnv, requireJsonEnv } from '../common/env';
import { createLogger } from '../common/logger';
import { S3Files } from '../common/s3.client';
import { recordedStep } from '../pipeline/recorded-step';
import { RunTrackerClient } from '../tracking/run-tracker.client';
import { buildBaseline } from './baseline/build';
import { permutationImportance } from './baseline/permutation-importance';
import { BaselineClient } from './baseline.client';
import { ScoresClient } from './scores.client';

const logger = createLogger('create-baseline');

const uri = z.string().startsWith('s3://');
const request = z.object({
  runId: z.string().min(1),
  trainUri: uri,
  holdoutUri: uri,
  candidateScoresUri: uri,
  reportUri: z.string().optional(),
}) satisfies z.ZodType<BaselineRequest>;

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

const create = async ({ runId, trainUri, holdoutUri, candidateScoresUri, reportUri }: BaselineRequest): Promise<BaselineAnswer> => {
  const spec = requireJsonEnv<MonitorSpec>(MONITORING_ENV.spec);
  const client = new BaselineClient();
  const reports = `s3://${requireEnv(ARTIFACTS_ENV.reportsBucket)}/`;
  // A step of one's own may leave its report elsewhere.
  const judged = reportUri?.startsWith(`${reports}${gateReportsPrefix(spec.model)}`) ? reportUri : undefined;
  const { baseline, blocks } = await buildBaseline({
    spec,
    runId,
    train: await client.table(trainUri),
    holdout: await client.table(holdoutUri),
    scores: () => new ScoresClient().scores(candidateScoresUri),
    importance: judged ? await permutationImportance(new S3Files(), judged) : undefined,
  });
  const baselineUri = `${reports}${baselineKey(spec.model, runId)}`;
  await client.put(baselineUri, baseline, blocks);
  const { trainRows, holdout, features } = baseline;
  const counts = { trainRows, holdoutRows: holdout.rows, features: features.length, blocks: blocks.blocks.length };
  logger.info('baseline written', { model: spec.model, runId, ...counts });
  return { baselineUri };
};
