import { HistoryEntry, LOCK_KEYS, REGISTRY_ENV } from '../../lib/registry/contract';
import { requireEnv } from '../common/env';
import { createLogger } from '../common/logger';
import { S3Files } from '../common/s3.client';
import { canonicalJson, hashEntry } from './history';
import { toHistoryEntry } from './records';

/** A value of a stream record; the history has no other kinds. */
interface Attribute {
  readonly S?: string;
  readonly N?: string;
  readonly BOOL?: boolean;
  readonly M?: Readonly<Record<string, Attribute>>;
}

interface StreamEvent {
  readonly Records: readonly {
    readonly eventID?: string;
    readonly dynamodb?: { readonly SequenceNumber?: string; readonly NewImage?: Readonly<Record<string, Attribute>> };
  }[];
}

const logger = createLogger('lock-history');
const files = new S3Files();

const valueOf = ({ S, N, BOOL, M }: Attribute): unknown => S ?? (N === undefined ? undefined : Number(N)) ?? BOOL ?? (M && plain(M));

const plain = (image: Readonly<Record<string, Attribute>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(image).map(([name, attribute]) => [name, valueOf(attribute)]));

/**
 * Follows the history: whatever was written to the table, rightly or not, is kept as it was, named by its own digest, not by the one that it
 * states. The same entry again is the same object.
 */
export const handler = async (event: StreamEvent): Promise<{ batchItemFailures: { itemIdentifier: string }[] }> => {
  const bucket = requireEnv(REGISTRY_ENV.lockBucket);
  for (const { eventID, dynamodb } of event.Records) {
    if (!dynamodb?.NewImage) continue;
    const entry: HistoryEntry = toHistoryEntry(plain(dynamodb.NewImage));
    try {
      const key = LOCK_KEYS.entry(entry.modelId, entry.sequence, hashEntry({ ...entry, hash: undefined }));
      await files.putText(`s3://${bucket}/${key}`, canonicalJson(entry), { contentType: 'application/json' });
    } catch (error) {
      logger.error('entry not copied', { modelId: entry.modelId, sequence: entry.sequence, error: (error as Error).message });
      // Streams keep their order: what comes after the first that failed is delivered again too.
      return { batchItemFailures: [{ itemIdentifier: dynamodb.SequenceNumber ?? eventID ?? '' }] };
    }
  }
  return { batchItemFailures: [] };
};
