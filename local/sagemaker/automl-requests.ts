import type { AutoMLMetricEnum, CreateAutoMLJobV2CommandInput, ProblemType } from '@aws-sdk/client-sagemaker';
import { invalid, unsupported } from './errors';

export interface AutoMlPlan {
  readonly target: string;
  readonly problem: ProblemType;
  readonly metric: AutoMLMetricEnum;
  /** The same in the words of the built-in XGBoost. */
  readonly measured: string;
  readonly maximize: boolean;
  readonly candidates: number;
  readonly maxSeconds?: number;
  readonly maxSecondsEach?: number;
  readonly held: number;
}

/** More would only make one wait here. */
const MOST_CANDIDATES = 6;
const DEFAULT_HELD = 0.2;
const LOWER_IS_BETTER = ['RMSE', 'MSE', 'MAE'];
const METRICS: Record<ProblemType, { readonly byDefault: AutoMLMetricEnum; readonly names: Partial<Record<AutoMLMetricEnum, string>> }> = {
  Regression: { byDefault: 'MSE', names: { RMSE: 'rmse', MSE: 'mse', MAE: 'mae', R2: 'r2' } },
  BinaryClassification: {
    byDefault: 'F1',
    names: {
      ...{ Accuracy: 'accuracy', BalancedAccuracy: 'balanced_accuracy', F1: 'f1_binary', AUC: 'auc', Precision: 'precision', Recall: 'recall' },
    },
  },
  MulticlassClassification: {
    byDefault: 'Accuracy',
    names: {
      ...{ Accuracy: 'accuracy', BalancedAccuracy: 'balanced_accuracy', F1macro: 'f1_macro' },
      ...{ PrecisionMacro: 'precision_macro', RecallMacro: 'recall_macro' },
    },
  },
};

/** What of a request this search plays; everything else is refused by name. */
export function autoMlPlanOf(request: CreateAutoMLJobV2CommandInput): AutoMlPlan {
  const [kind] = Object.keys(request.AutoMLProblemTypeConfig ?? {});
  const tabular = request.AutoMLProblemTypeConfig?.TabularJobConfig;
  if (!tabular) throw unsupported(`AutoML of ${kind?.replace('JobConfig', '') ?? 'nothing'}: it knows tables`);
  for (const field of ['FeatureSpecificationS3Uri', 'SampleWeightAttributeName', 'GenerateCandidateDefinitionsOnly'] as const) {
    if (tabular[field]) throw unsupported(`${field} of AutoML`);
  }
  if (tabular.Mode === 'ENSEMBLING') throw unsupported('AutoML in the mode ENSEMBLING: its algorithms are not here');
  if (request.ModelDeployConfig) throw unsupported('ModelDeployConfig of AutoML');
  if (request.AutoMLComputeConfig) throw unsupported('AutoMLComputeConfig');
  if (tabular.ProblemType && !request.AutoMLJobObjective) throw invalid('AutoMLJobObjective is required where ProblemType is specified');
  if (!tabular.ProblemType) throw unsupported('AutoML that finds out the kind of problem: state ProblemType');
  checkChannels(request);
  const { byDefault, names } = METRICS[tabular.ProblemType];
  const metric = request.AutoMLJobObjective?.MetricName ?? byDefault;
  const measured = names[metric];
  if (!measured) throw unsupported(`AutoML that decides by ${metric} for ${tabular.ProblemType}: it knows ${Object.keys(names).join(', ')}`);
  const { MaxCandidates, MaxAutoMLJobRuntimeInSeconds, MaxRuntimePerTrainingJobInSeconds } = tabular.CompletionCriteria ?? {};
  return {
    target: tabular.TargetAttributeName!,
    problem: tabular.ProblemType,
    metric,
    measured,
    maximize: !LOWER_IS_BETTER.includes(metric),
    candidates: Math.min(MaxCandidates ?? MOST_CANDIDATES, MOST_CANDIDATES),
    maxSeconds: MaxAutoMLJobRuntimeInSeconds,
    maxSecondsEach: MaxRuntimePerTrainingJobInSeconds,
    held: request.DataSplitConfig?.ValidationFraction ?? DEFAULT_HELD,
  };
}

function checkChannels({ AutoMLJobInputDataConfig = [] }: CreateAutoMLJobV2CommandInput): void {
  const kinds = AutoMLJobInputDataConfig.map(({ ChannelType }) => ChannelType ?? 'training');
  if (kinds.filter((kind) => kind === 'training').length !== 1 || kinds.length > 2) {
    throw invalid('One channel of training data and at most one of validation data must be specified in AutoMLJobInputDataConfig');
  }
  for (const { CompressionType, ContentType, DataSource } of AutoMLJobInputDataConfig) {
    if (CompressionType === 'Gzip') throw unsupported('CompressionType Gzip of AutoML');
    if (DataSource?.S3DataSource?.S3DataType !== 'S3Prefix') throw unsupported(`S3DataType ${DataSource?.S3DataSource?.S3DataType} of AutoML`);
    if (ContentType && !/^text\/csv\s*;\s*header=present$/i.test(ContentType))
      throw unsupported(`${ContentType} for AutoML: it reads CSV with a header`);
  }
}
