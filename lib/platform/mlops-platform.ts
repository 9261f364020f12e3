import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { ArtifactStore } from '../artifacts/artifact-store';
import { claim } from '../common/claims';
import { Validator } from '../common/validation';
import { LabelRecorder } from '../monitoring/label-recorder';
import { sharesProblems } from '../monitoring/monitor-spec';
import { PlatformAlarms } from '../operations/platform-alarms';
import { IModelRegistry, ModelRegistry } from '../registry/model-registry';
import { checkRules } from '../registry/version-rule';
import { RetrainGovernor } from '../retraining/retrain-governor';
import { SearchIndex } from '../search/search-index';
import { MlflowApi } from '../tracking/mlflow-api';
import { IRunTracker, RunTracker } from '../tracking/run-tracker';
import { platformParameter, PlatformResources } from './contract';
import { MlModel } from './ml-model';
import { ModelOptions } from './model-options';

/** Properties of an MlOpsPlatform. */
export interface MlOpsPlatformProps {
  /**
   * Name of the platform, unique in account and region: letters, digits and hyphens, first a letter, at most 32. Programs find the platform by
   * it, metrics and endpoints carry it. It cannot change after the first deployment: a platform of another name is another platform.
   *
   * @default 'mlops'
   */
  readonly platformName?: string;

  /**
   * Who is told when an alarm goes off.
   *
   * @default - nobody: alarms only change their state
   */
  readonly alarmTopic?: sns.ITopic;

  /**
   * Where bytes live.
   *
   * @default - new buckets with a new key
   */
  readonly store?: ArtifactStore;

  /**
   * What a model version is and which one serves.
   *
   * @default - new tables
   */
  readonly registry?: IModelRegistry;

  /**
   * What ran, with what, and what came out.
   *
   * @default - a new table
   */
  readonly tracker?: IRunTracker;

  /**
   * What decides whether a cause becomes a run. Must have been made for the same platform name.
   *
   * @default - a new governor with its own bus
   */
  readonly governor?: RetrainGovernor;

  /**
   * Whether MLflow's client can use the platform's records through an HTTP API of its own. Without it runs and versions are read and changed by the
   * command line, and the pipelines work as with it.
   *
   * @default true
   */
  readonly api?: boolean;

  /**
   * What happens to buckets, tables and keys made here when they leave the stack. A bucket that still holds objects is never deleted.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/** The loop for any number of models: data, pipeline, registry, serving, monitoring, retraining, and alarms over all of it. */
export class MlOpsPlatform extends Construct {
  /** Name of the platform. */
  public readonly platformName: string;
  /** Where bytes live. */
  public readonly store: ArtifactStore;
  /** What a model version is and which one serves. */
  public readonly registry: IModelRegistry;
  /** What ran, with what, and what came out. */
  public readonly tracker: IRunTracker;
  /** Whether a cause becomes a run. */
  public readonly governor: RetrainGovernor;
  /** MLflow's API over tracker and registry; undefined where it was left out. */
  public readonly api?: MlflowApi;
  /** Finds things by words; undefined where registry or tracker were handed in, since only their own stack can follow their changes. */
  public readonly search?: SearchIndex;
  /** Alarms of what all models share. */
  public readonly alarms: PlatformAlarms;
  /** Who is told when an alarm goes off. */
  public readonly alarmTopic?: sns.ITopic;

  private readonly models = new Map<string, MlModel>();
  private readonly labels: LabelRecorder;

  /** Fails at synth if the name is not allowed, or another platform of the stack has it. */
  constructor(scope: Construct, id: string, props: MlOpsPlatformProps = {}) {
    super(scope, id);
    const { removalPolicy = RemovalPolicy.RETAIN, alarmTopic } = props;
    const platformName = props.platformName ?? 'mlops';
    const owner = claim(this, `platform/${platformName}`);
    new Validator(`MlOpsPlatform ${this.node.path}`)
      .name('platformName', platformName)
      .check(owner === undefined, { rule: `is the name of ${owner} already`, place: 'platformName', got: `'${platformName}'`, fix: 'choose another' })
      .throwIfAny();

    this.platformName = platformName;
    this.alarmTopic = alarmTopic;
    this.store = props.store ?? new ArtifactStore(this, 'Store', { removalPolicy });
    this.registry = props.registry ?? new ModelRegistry(this, 'Registry', { platformName, removalPolicy });
    this.tracker = props.tracker ?? new RunTracker(this, 'Tracker', { removalPolicy });
    this.governor = props.governor ?? new RetrainGovernor(this, 'Governor', { platformName, removalPolicy });
    if (props.api ?? true) {
      const { store, registry, tracker } = this;
      this.api = new MlflowApi(this, 'Api', { platformName, store, registry, tracker, alarmTopic, removalPolicy: props.removalPolicy });
    }
    if (this.registry instanceof ModelRegistry && this.tracker instanceof RunTracker) {
      const { registry, tracker, governor } = this;
      this.search = new SearchIndex(this, 'Search', { platformName, registry, tracker, deadLetters: governor.deadLetters });
    }
    this.labels = new LabelRecorder(this, 'Labels', { platformName, store: this.store, governor: this.governor });
    this.alarms = new PlatformAlarms(this, 'Alarms', { governor: this.governor, alarmTopic });
    const lost = this.registry instanceof ModelRegistry ? this.registry.lockDeadLetters : undefined;
    if (lost) this.alarms.watchDeadLetters(lost, 'entries of the registry’s history have no locked copy');

    new ssm.StringParameter(this, 'Parameter', {
      parameterName: platformParameter(platformName),
      description: 'Where programs find the parts of the platform',
      stringValue: Stack.of(this).toJsonString(this.resources()),
    });
  }

  /**
   * Adds a model and its whole loop. CloudFormation's templates of 1 MB hold six, nine in a stack with `suppressTemplateIndentation`.
   *
   * Removing the call later removes endpoint, pipeline and monitor; data, versions and history stay.
   *
   * Fails at synth, with everything that is wrong in one message, if the name is taken or not allowed or a metric is not one of the task's.
   *
   * @param modelName letters, digits and hyphens, first a letter, at most 32; never changes, since data and versions are kept under it
   */
  public addModel(modelName: string, options: ModelOptions): MlModel {
    const task = options.task._toSpec();
    const validator = new Validator(`addModel('${modelName}')`)
      .name('modelName', modelName)
      .check(!this.isTaken(modelName), {
        rule: 'must differ from the other models in more than case, since endpoint names do not distinguish it',
        place: 'modelName',
        got: `'${modelName}'`,
        fix: 'choose another name',
      })
      .add(options.retraining._problems('retraining', task, options.monitoring))
      .add(sharesProblems(options.monitoring, options.retraining._qualityRules))
      .add(options.monitoring._problems('monitoring', task));
    options.gate?._toSpec(task, validator, options.training._holdout(task).days);
    checkRules(validator, options.registryRules, options.approval);
    validator.throwIfAny();
    const { platformName, store, registry, tracker, governor, alarmTopic } = this;
    const model = new MlModel(this, modelName, { modelName, platformName, store, registry, tracker, governor, alarmTopic, ...options });
    this.models.set(modelName.toLowerCase(), model);
    this.labels.take(modelName);
    // Pipelines share the queue of the first one of the stack, which may belong to another platform.
    this.alarms.watchDeadLetters(model.pipeline.deadLetters, 'why a training run failed is not on record');
    return model;
  }

  private isTaken(modelName: string): boolean {
    return this.models.has(modelName.toLowerCase());
  }

  private resources(): PlatformResources {
    return {
      platform: this.platformName,
      artifactsBucket: this.store.artifacts.bucketName,
      dataBucket: this.store.data.bucketName,
      predictionsBucket: this.store.predictions.bucketName,
      reportsBucket: this.store.reports.bucketName,
      registryTable: this.registry.registryTableName,
      historyTable: this.registry.historyTableName,
      registryWriterFunction: this.registry.writerFunctionName,
      historyCopiesBucket: this.registry instanceof ModelRegistry ? this.registry.lockedCopies?.bucketName : undefined,
      runsTable: this.tracker.runsTableName,
      governorTable: this.governor.governorTableName,
      busName: this.governor.bus.eventBusName,
      searchTable: this.search?.indexTable.tableName,
      apiUrl: this.api?.url,
      tokenKeyArn: this.api?.tokenKey.keyArn,
    };
  }
}
