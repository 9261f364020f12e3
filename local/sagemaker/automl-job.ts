import { randomBytes } from 'node:crypto';
import type {
  AutoMLCandidate,
  AutoMLDataSource,
  AutoMLJobSecondaryStatus,
  AutoMLJobStatus,
  CreateAutoMLJobV2CommandInput,
  CreateHyperParameterTuningJobCommandInput,
} from '@aws-sdk/client-sagemaker';
import { classesOf, heldOut, numericRows } from './automl-data';
import type { AutoMlPlan } from './automl-requests';
import type { Context } from './context';
import { invalid, messageOf } from './errors';
import type { JobFault } from './job-faults';
import { withoutTags } from './records';
import { joinUri, listKeys, locationOf, readObject, upload } from './storage';
import type { TuningJobs } from './tuning';
import type { TuningJob } from './tuning-job';

const ROUNDS = '200';
const PATIENCE = '10';
const INSTANCE = 'ml.m5.4xlarge';
const OBJECTIVES = { Regression: 'reg:squarederror', BinaryClassification: 'binary:logistic', MulticlassClassification: 'multi:softprob' };

/** A search of the engine's own: the built-in XGBoost over the columns of numbers, tuned for a few trainings. */
export class AutoMlJob {
  readonly created = new Date();
  modified = this.created;
  status: AutoMLJobStatus = 'InProgress';
  secondary: AutoMLJobSecondaryStatus = 'Starting';
  ended?: Date;
  failureReason?: string;
  done: Promise<void> = Promise.resolve();
  private search?: TuningJob;

  constructor(
    private readonly context: Context,
    private readonly tuning: TuningJobs,
    private readonly request: CreateAutoMLJobV2CommandInput,
    private readonly plan: AutoMlPlan,
    readonly arn: string,
    private readonly fault?: JobFault,
  ) {}

  get name(): string {
    return this.request.AutoMLJobName!;
  }

  async run(): Promise<void> {
    try {
      const classes = await this.prepare();
      if (this.status === 'InProgress') await this.tune(classes);
      this.finish();
    } catch (error) {
      this.failureReason = messageOf(error);
      this.end('Failed', 'Failed');
    }
  }

  stop(): void {
    if (this.status === 'Stopping') return;
    if (this.status !== 'InProgress') throw invalid(`The request was rejected because the AutoML job is in status ${this.status}`);
    this.status = 'Stopping';
    this.enter('Stopping');
    if (this.search?.status === 'InProgress') this.search.stop();
  }

  describe() {
    const { maxSeconds, maxSecondsEach, candidates, problem, metric } = this.plan;
    return {
      ...withoutTags(this.request),
      AutoMLJobArn: this.arn,
      AutoMLJobObjective: { MetricName: metric },
      AutoMLProblemTypeConfigName: 'Tabular',
      CreationTime: this.created,
      EndTime: this.ended,
      LastModifiedTime: this.modified,
      FailureReason: this.failureReason,
      BestCandidate: this.best(),
      AutoMLJobStatus: this.status,
      AutoMLJobSecondaryStatus: this.secondary,
      ResolvedAttributes: {
        AutoMLJobObjective: { MetricName: metric },
        CompletionCriteria: {
          MaxCandidates: candidates,
          MaxAutoMLJobRuntimeInSeconds: maxSeconds,
          MaxRuntimePerTrainingJobInSeconds: maxSecondsEach,
        },
        AutoMLProblemTypeResolvedAttributes: { TabularResolvedAttributes: { ProblemType: problem } },
      },
    };
  }

  private best(): AutoMLCandidate | undefined {
    const found = this.search?.describe().BestTrainingJob;
    if (!found) return undefined;
    const ModelDataUrl = joinUri(this.place('tuning'), found.TrainingJobName!, 'output/model.tar.gz');
    return {
      CandidateName: found.TrainingJobName,
      FinalAutoMLJobObjectiveMetric: {
        Type: this.plan.maximize ? 'Maximize' : 'Minimize',
        MetricName: this.plan.metric,
        Value: found.FinalHyperParameterTuningJobObjectiveMetric!.Value,
        StandardMetricName: this.plan.metric,
      },
      ObjectiveStatus: 'Succeeded',
      CandidateSteps: [
        { CandidateStepType: 'AWS::SageMaker::TrainingJob', CandidateStepArn: found.TrainingJobArn, CandidateStepName: found.TrainingJobName },
      ],
      CandidateStatus: 'Completed',
      InferenceContainers: [{ Image: this.image(), ModelDataUrl, Environment: {} }],
      CreationTime: found.CreationTime,
      EndTime: found.TrainingEndTime,
      LastModifiedTime: found.TrainingEndTime,
    };
  }

  /** Both channels as the algorithm reads them; the number of classes. */
  private async prepare(): Promise<number> {
    this.enter('AnalyzingData');
    const { target, problem, held } = this.plan;
    const sourceOf = (kind: string) =>
      this.request.AutoMLJobInputDataConfig!.find(({ ChannelType }) => (ChannelType ?? 'training') === kind)?.DataSource;
    const rows = numericRows(await this.texts(sourceOf('training')!), target, problem !== 'Regression');
    const given = sourceOf('validation');
    const parts = given
      ? { train: rows.lines, validation: numericRows(await this.texts(given), target, problem !== 'Regression', rows.features).lines }
      : heldOut(rows.lines, held);
    this.context.log(`${this.name} searches over ${rows.features.join(', ')}; left out: ${rows.leftOut.join(', ') || 'nothing'}`);
    this.enter('FeatureEngineering');
    const s3 = this.context.engine.s3(this.request.RoleArn!);
    for (const [name, lines] of Object.entries(parts)) {
      const uri = joinUri(this.place('preprocessed-data'), name, 'rows.csv');
      await upload(s3, uri, [...lines, ''].join('\n'), this.request.OutputDataConfig?.KmsKeyId);
    }
    return classesOf(rows.lines);
  }

  private async texts(source: AutoMLDataSource): Promise<string[]> {
    const s3 = this.context.engine.s3(this.request.RoleArn!);
    const { bucket, key: prefix } = locationOf(source.S3DataSource!.S3Uri!);
    const keys = await listKeys(s3, bucket, prefix);
    return Promise.all(keys.map(async (key) => (await readObject(s3, { bucket, key })).toString('utf8')));
  }

  private async tune(classes: number): Promise<void> {
    this.enter('ModelTuning');
    this.search = await this.tuning.launch(this.searchRequest(classes), this.fault);
    if (this.isStopping()) this.search.stop();
    await this.search.done;
  }

  private searchRequest(classes: number): CreateHyperParameterTuningJobCommandInput {
    const { measured, maximize, candidates, maxSeconds, maxSecondsEach, problem } = this.plan;
    const left = maxSeconds && Math.max(1, maxSeconds - Math.round((Date.now() - this.created.getTime()) / 1000));
    const channel = (ChannelName: string) => ({
      ChannelName,
      ContentType: 'text/csv',
      DataSource: { S3DataSource: { S3DataType: 'S3Prefix' as const, S3Uri: `${this.place('preprocessed-data')}/${ChannelName}/` } },
    });
    const range = (Name: string, MinValue: string, MaxValue: string) => ({ Name, MinValue, MaxValue });
    return {
      HyperParameterTuningJobName: `${this.name.slice(0, 23)}-${randomBytes(4).toString('hex')}`,
      HyperParameterTuningJobConfig: {
        Strategy: 'Bayesian',
        HyperParameterTuningJobObjective: { Type: maximize ? 'Maximize' : 'Minimize', MetricName: `validation:${measured}` },
        ResourceLimits: { MaxNumberOfTrainingJobs: candidates, MaxParallelTrainingJobs: 2, MaxRuntimeInSeconds: left },
        ParameterRanges: {
          IntegerParameterRanges: [range('max_depth', '2', '8'), range('min_child_weight', '1', '10')],
          ContinuousParameterRanges: [range('eta', '0.05', '0.5'), range('subsample', '0.6', '1')],
        },
        RandomSeed: 1,
      },
      TrainingJobDefinition: {
        StaticHyperParameters: {
          ...{ num_round: ROUNDS, early_stopping_rounds: PATIENCE, objective: OBJECTIVES[problem] },
          ...(problem === 'MulticlassClassification' && { num_class: String(classes) }),
        },
        AlgorithmSpecification: { TrainingImage: this.image(), TrainingInputMode: 'File' },
        RoleArn: this.request.RoleArn,
        InputDataConfig: [channel('train'), channel('validation')],
        OutputDataConfig: { S3OutputPath: this.place('tuning'), KmsKeyId: this.request.OutputDataConfig!.KmsKeyId },
        ResourceConfig: { InstanceType: INSTANCE, InstanceCount: 1, VolumeSizeInGB: 50 },
        StoppingCondition: { MaxRuntimeInSeconds: maxSecondsEach ?? 86_400 },
      },
      Tags: this.request.Tags,
    };
  }

  private place(part: string): string {
    return joinUri(this.request.OutputDataConfig!.S3OutputPath!, this.name, part);
  }

  private image(): string {
    return this.context.images.xgboost(this.context.options.region);
  }

  private isStopping(): boolean {
    return this.status === 'Stopping';
  }

  private finish(): void {
    if (this.isStopping()) return this.end('Stopped', 'Stopped');
    const { HyperParameterTuningJobStatus: status, FailureReason } = this.search!.describe();
    if (!this.best() || status === 'Failed') {
      this.failureReason = FailureReason ?? 'No candidate came to an end';
      return this.end('Failed', 'Failed');
    }
    return this.end('Completed', status === 'Stopped' ? 'MaxAutoMLJobRuntimeReached' : 'Completed');
  }

  private end(status: AutoMLJobStatus, secondary: AutoMLJobSecondaryStatus): void {
    this.status = status;
    this.ended = new Date();
    this.enter(secondary);
  }

  private enter(secondary: AutoMLJobSecondaryStatus): void {
    this.secondary = secondary;
    this.modified = new Date();
  }
}
