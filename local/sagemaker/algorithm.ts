import type { CreateTrainingJobCommandInput, MetricDefinition } from '@aws-sdk/client-sagemaker';
import { unsupported } from './errors';
import { hasAlgorithm, type OwnImages, programOf } from './images';

/** How a container runs: the image's own program, a script of the user's, or the algorithm that the image holds. */
export type Mode = 'program' | 'script' | 'algorithm';

export function trainingMode({ AlgorithmSpecification, HyperParameters }: CreateTrainingJobCommandInput, own: OwnImages | undefined): Mode {
  return modeOf(AlgorithmSpecification?.TrainingImage ?? '', HyperParameters?.sagemaker_program, own, 'train');
}

export function modeOf(image: string, script: string | undefined, own: OwnImages | undefined, name: 'train' | 'serve'): Mode {
  if (programOf(own, image, name) !== undefined) return 'program';
  return !script && hasAlgorithm(image, own) ? 'algorithm' : 'script';
}

const DATA = /^(text\/)?(csv|(x-)?libsvm)\s*(;|$)/i;

/** What the image's algorithm can and this engine cannot; what the algorithm itself refuses fails the job in its words. */
export function checkAlgorithm({ HyperParameters = {}, InputDataConfig = [] }: CreateTrainingJobCommandInput): void {
  if (HyperParameters._kfold) throw unsupported('cross validation of the built-in XGBoost (_kfold)');
  if (HyperParameters.use_dask_gpu_training === 'true') throw unsupported('training on GPUs (use_dask_gpu_training)');
  for (const { ChannelName, ContentType } of InputDataConfig) {
    if (ChannelName !== 'code' && ContentType && !DATA.test(ContentType)) {
      throw unsupported(`${ContentType} for the built-in XGBoost (channel ${ChannelName}): it reads text/csv and text/libsvm`);
    }
  }
}

const METRICS = [
  ...['accuracy', 'auc', 'aucpr', 'balanced_accuracy', 'f1', 'f1_binary', 'f1_macro', 'map', 'ndcg', 'precision', 'r2', 'recall'],
  ...['precision_macro', 'precision_micro', 'recall_macro', 'recall_micro'],
  ...['aft-nloglik', 'cox-nloglik', 'error', 'gamma-deviance', 'gamma-nloglik', 'interval-regression-accuracy', 'logloss', 'mae', 'mape'],
  ...['merror', 'mlogloss', 'mphe', 'mse', 'poisson-nloglik', 'rmse', 'rmsle', 'tweedie-nloglik'],
];

/** SageMaker reads the metrics of its own algorithms without being told how. */
export const ALGORITHM_METRICS: readonly MetricDefinition[] = ['train', 'validation'].flatMap((channel) =>
  METRICS.map((metric) => ({
    Name: `${channel}:${metric}`,
    Regex: `.*\\[[0-9]+\\].*#011${channel}-${metric}:([-+]?[0-9]*\\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*`,
  })),
);
