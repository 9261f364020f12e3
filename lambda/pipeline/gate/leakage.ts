import type { DataManifest } from '../../../lib/artifacts/contract';
import { NamedError } from '../../common/errors';
import type { S3Files } from '../../common/s3.client';
import type { Chunks } from '../../monitoring/rows';
import { keysOf, type ScoredHoldout } from '../evaluation/scored-holdout';
import type { RowKeys } from '../row-keys';
import type { Leakage } from './types';

const OLD = 'it was trained before training rows were kept by their keys';

/** Looks for rows of the holdout in the training data of a model, by the keys that its run left. */
export class LeakageCheck {
  constructor(private readonly files: S3Files) {}

  /** The manifest; undefined where it is no longer there. */
  async manifest(uri: string): Promise<DataManifest | undefined> {
    return (await this.files.head(uri)) === undefined ? undefined : this.files.readJson<DataManifest>(uri);
  }

  async check(manifest: DataManifest | undefined, holdout: ScoredHoldout): Promise<Leakage> {
    if (!manifest) return { status: 'not-checkable', reason: 'the manifest of its training data is not there' };
    const { rowKeys, train } = manifest;
    if (!rowKeys) return { status: 'not-checkable', reason: OLD };
    const own = holdout.keys.get(keysOf(rowKeys.columns));
    if (!own) return { status: 'not-checkable', reason: `the holdout lacks columns that its rows were known by (${rowKeys.columns.join(', ')})` };
    const counted = await this.count(own, rowKeys.uri);
    if (typeof counted === 'string') return { status: 'lost', reason: counted };
    const { shared, keys } = counted;
    if (keys !== train.rows) return { status: 'lost', reason: `it has ${train.rows} training rows, but the keys of ${keys}` };
    const to = train.to === undefined ? NaN : Date.parse(train.to);
    return {
      status: 'checked',
      columns: rowKeys.columns,
      trainRows: train.rows,
      sharedRows: shared,
      share: shared / holdout.rows,
      ...(train.to !== undefined && { trainTo: train.to }),
      ...(holdout.from !== undefined && !Number.isNaN(to) && { rowsInTrainingPeriod: holdout.rowsUpTo(to) }),
    };
  }

  /** Or why not. */
  private async count(own: RowKeys, uri: string): Promise<Awaited<ReturnType<RowKeys['countIn']>> | string> {
    if ((await this.files.head(uri)) === undefined) return `the keys of its training rows are gone: ${uri}`;
    try {
      return await own.countIn((await this.files.readStream(uri)) as Chunks);
    } catch (error) {
      // What S3 answers may pass, and is worth another try of the step.
      if (!(error instanceof NamedError)) throw error;
      return `the keys of its training rows cannot be read: ${error.message}`;
    }
  }
}
