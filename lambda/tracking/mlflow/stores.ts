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
