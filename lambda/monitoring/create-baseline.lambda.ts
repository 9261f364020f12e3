import * as z from 'zod';
import { ARTIFACTS_ENV, baselineKey } from '../../lib/artifacts/contract';
import { BaselineAnswer, BaselineRequest, MONITORING_ENV, MonitorSpec } from '../../lib/monitoring/contract';
import { requireEnv, requireJsonEnv } from '../common/env';
import { createLogger } from '../common/logger';
import { buildBaseline } from './baseline';
import { BaselineClient } from './baseline.client';

const logger = createLogger('create-baseline');

const uri = z.string().startsWith('s3://');
const request = z.object({ runId: z.string().min(1), trainUri: uri, holdoutUri: uri, candidateScoresUri: uri }) satisfies z.ZodType<BaselineRequest>;

/** The same run again writes the same baseline. */
export const handler = async (event: unknown): Promise<BaselineAnswer> => {
  const { runId, trainUri, holdoutUri, candidateScoresUri } = request.parse(event);
  const { model, task } = requireJsonEnv<MonitorSpec>(MONITORING_ENV.spec);
  const client = new BaselineClient();
  const baseline = await buildBaseline({
    model,
    runId,
    task,
    train: client.csvRows(trainUri),
    holdout: client.csvRows(holdoutUri),
    scores: client.scores(candidateScoresUri),
  });
  const baselineUri = `s3://${requireEnv(ARTIFACTS_ENV.reportsBucket)}/${baselineKey(model, runId)}`;
  await client.putBaseline(baselineUri, baseline);
  const { trainRows, holdout, features } = baseline;
  logger.info('baseline written', { model, runId, trainRows, holdoutRows: holdout.rows, features: features.length });
  return { baselineUri };
};
