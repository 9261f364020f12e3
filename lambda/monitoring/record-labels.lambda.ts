import { ARTIFACTS_ENV } from '../../lib/artifacts/contract';
import { COMMON_ENV } from '../../lib/common/contract';
import { MONITORING_ENV } from '../../lib/monitoring/contract';
import { requireEnv } from '../common/env';
import { NamedError } from '../common/errors';
import { createLogger } from '../common/logger';
import { S3Files } from '../common/s3.client';
import { labelsFile } from './quality/label-event';

const logger = createLogger('record-labels');
const files = new S3Files();

/** Writes labels that come as an event once, below the model's labels. One that cannot be read fails as a whole and ends in the dead letters. */
export const handler = async (event: unknown): Promise<void> => {
  const { platform, model, labels, key, body } = labelsFile(event);
  if (platform !== requireEnv(COMMON_ENV.platform)) throw new NamedError('UnknownPlatform', `the event is for platform ${platform}`);
  const models = process.env[MONITORING_ENV.labelModels];
  if (models !== undefined && !(JSON.parse(models) as string[]).includes(model)) {
    throw new NamedError('UnknownModel', `platform ${platform} has no model ${model} whose labels could be kept`);
  }
  const uri = `s3://${requireEnv(ARTIFACTS_ENV.predictionsBucket)}/${key}`;
  try {
    await files.put(uri, body, { contentType: 'application/x-ndjson', ifAbsent: true });
    logger.info('labels recorded', { model, labels, uri });
  } catch (error) {
    if (!(error instanceof Error && error.name === 'PreconditionFailed')) throw error;
    logger.info('labels were recorded before', { model, labels, uri });
  }
};
