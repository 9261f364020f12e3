import { Construct } from 'constructs';
import { ArtifactStore } from '../artifacts/artifact-store';
import { modelRunsPrefix } from '../artifacts/contract';
import { SageMakerRole } from '../serving/sagemaker-role';

/**
 * Role of a model's training jobs: the rows and artifacts of its own runs, nothing else.
 *
 * @internal
 */
export class TrainingRole extends SageMakerRole {
  constructor(scope: Construct, id: string, modelName: string, store: ArtifactStore) {
    super(scope, id, { description: `Trains the model ${modelName}`, purposes: ['TrainingJobs'] });
    const runs = modelRunsPrefix(modelName);
    store.grantReadData(this, runs);
    store.grantReadArtifacts(this, runs);
    store.grantWriteArtifacts(this, runs);
  }
}
