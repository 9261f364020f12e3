import { Logger } from '@aws-lambda-powertools/logger';
import { COMMON_ENV } from '../../lib/common/contract';

/** Logger of a handler. Log ids, names and counts, never payloads: rows and labels may hold personal data. */
export const createLogger = (handler: string): Logger =>
  new Logger({ serviceName: process.env[COMMON_ENV.platform], persistentKeys: { handler } });
