import { ARTIFACTS_ENV } from '../../../lib/artifacts/contract';
import { TRACKING_ENV } from '../../../lib/tracking/contract';
import { createDocumentClient } from '../../common/dynamo.client';
import { requireEnv } from '../../common/env';
import { S3Files } from '../../common/s3.client';
import { ModelRegistryClient } from '../../registry/model-registry.client';
import { ExperimentsClient } from '../experiments.client';
import { LineageClient } from '../lineage.client';
import { LoggedModelsClient } from '../logged-models.client';
import { RunsClient } from '../runs.client';

/** Everything that handlers read and write. */
export interface Stores {
  readonly experiments: ExperimentsClient;
  readonly runs: RunsClient;
  readonly loggedModels: LoggedModelsClient;
  readonly lineage: LineageClient;
  readonly registry: ModelRegistryClient;
  readonly files: S3Files;
  readonly artifactsBucket: string;
}

/** Stores of the function's environment; they share one connection to DynamoDB. */
export const createStores = (): Stores => {
  const db = createDocumentClient();
  const table = requireEnv(TRACKING_ENV.runsTable);
  const experiments = new ExperimentsClient(table, db);
  return {
    experiments,
    runs: new RunsClient(table, db, experiments),
    loggedModels: new LoggedModelsClient(table, db, experiments),
    lineage: new LineageClient(table, db),
    registry: new ModelRegistryClient(),
    files: new S3Files(),
    artifactsBucket: requireEnv(ARTIFACTS_ENV.artifactsBucket),
  };
};
