import type { DataManifest } from '../../lib/artifacts/contract';
import type { DatasetInput } from '../../lib/tracking/contract';

/** What a run's parameters tell of its data. */
export const dataParams = ({ dataId, prefix, commit, train, holdout, quarantinedRows, constraints }: DataManifest): Record<string, string> => ({
  'data.id': dataId,
  ...(prefix === undefined ? {} : { 'data.prefix': prefix }),
  ...(commit === undefined ? {} : { 'data.commit': commit }),
  'data.trainRows': String(train.rows),
  'data.holdoutRows': String(holdout.rows),
  'data.quarantinedRows': String(quarantinedRows),
  ...(holdout.from === undefined ? {} : { 'data.holdoutFrom': holdout.from }),
  ...(constraints && {
    'data.constraints': constraints.source,
    ...(constraints.versionId !== undefined && { 'data.constraintsVersion': constraints.versionId }),
    'data.warnings': String(constraints.warnings),
  }),
});

/** Longest digest that MLflow takes. */
const DIGEST_LENGTH = 36;

/** The data as MLflow shows it: its digest is the beginning of the data's id, its source the manifest. */
export const datasetOf = ({ dataId, model, columns, rows }: DataManifest, manifestUri: string): DatasetInput => ({
  name: model,
  digest: dataId.slice(0, DIGEST_LENGTH),
  sourceType: 's3',
  source: JSON.stringify({ uri: manifestUri }),
  profile: JSON.stringify({ num_rows: rows, num_columns: columns.length }),
  tags: { 'mlflow.data.context': 'training' },
});
