import { Duration, Stack } from 'aws-cdk-lib';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { ArtifactStore } from '../artifacts/artifact-store';
import { ModelMonitor } from '../monitoring/model-monitor';
import { ModelAlarms } from '../operations/model-alarms';
import { ModelDashboard } from '../operations/model-dashboard';
import { TrainingPipeline } from '../pipeline/training-pipeline';
import { IModelRegistry } from '../registry/model-registry';
import { RetrainGovernor } from '../retraining/retrain-governor';
import { ModelEndpoint } from '../serving/model-endpoint';
import { IRunTracker } from '../tracking/run-tracker';
import { modelParameter, ModelResources } from './contract';
import { ModelOptions } from './model-options';

/** Properties of an MlModel. */
export interface MlModelProps extends ModelOptions {
  /** Name of the model. */
  readonly modelName: string;

  /** Name of the platform. */
  readonly platformName: string;

  /** Where bytes live. */
  readonly store: ArtifactStore;

  /** What a model version is and which one serves. */
  readonly registry: IModelRegistry;

  /** What ran, with what, and what came out. */
  readonly tracker: IRunTracker;

  /** Whether a cause becomes a run. */
  readonly governor: RetrainGovernor;

  /**
   * Who is told when an alarm goes off.
   *
   * @default - nobody: alarms only change their state
   */
  readonly alarmTopic?: sns.ITopic;
}

/** One model and its loop; made by `MlOpsPlatform.addModel()`. */
export class MlModel extends Construct {
  /** Name of the model. */
  public readonly modelName: string;
  /** How predictions are made and recorded; `endpoint.grantInvoke()` lets a service ask for them. */
  public readonly endpoint: ModelEndpoint;
  /** Whether data and predictions are still right. */
  public readonly monitor: ModelMonitor;
  /** From data to a registered, approved, deployed version. */
  public readonly pipeline: TrainingPipeline;
  /** What a person is told. */
  public readonly alarms: ModelAlarms;
  /** What a person can look at. */
  public readonly dashboard: ModelDashboard;

  /** Fails at synth where one of its parts does; `MlOpsPlatform.addModel()` names all problems at once. */
  constructor(scope: Construct, id: string, props: MlModelProps) {
    super(scope, id);
    const { modelName, platformName, task, training, gate, approval, steps, serving, monitoring, retraining, owner, registryRules } = props;
    const { instancePrices, store, registry, tracker, governor, alarmTopic, permutationImportance } = props;
    const { bus } = governor;
    const qualityRules = retraining._qualityRules;
    this.modelName = modelName;

    this.endpoint = new ModelEndpoint(this, 'Endpoint', { modelName, platformName, serving, store });
    const { endpointName } = this.endpoint;
    this.monitor = new ModelMonitor(this, 'Monitor', {
      modelName,
      platformName,
      task,
      endpointName,
      serving,
      monitoring,
      qualityRules,
      store,
      registry,
      bus,
      deadLetters: governor.deadLetters,
    });
    this.pipeline = new TrainingPipeline(this, 'Pipeline', {
      modelName,
      platformName,
      task,
      training,
      gate,
      permutationImportance,
      approval,
      steps,
      owner,
      registryRules,
      instancePrices,
      endpoint: this.endpoint,
      monitor: this.monitor,
      store,
      registry,
      tracker,
      bus,
      deadLetters: governor.deadLetters,
    });
    const { stateMachine } = this.pipeline;
    governor.addModel({ modelName, stateMachine, retraining });

    this.alarms = new ModelAlarms(this, 'Alarms', {
      platformName,
      modelName,
      monitor: this.monitor.stateMachine,
      monitorSilence: monitoring._silence,
      monitorWindow: Duration.seconds(monitoring._windowSeconds),
      judgesQuality: qualityRules.length > 0,
      judgesGroups: monitoring._judgesGroups,
      recorder: this.endpoint.recorder,
      alarmTopic,
    });
    this.dashboard = new ModelDashboard(this, 'Dashboard', {
      platformName,
      modelName,
      predictions: this.endpoint.metricPredictions({ label: 'requests answered', period: Duration.hours(1) }),
      qualityMetrics: qualityRules.map(({ metric }) => metric),
      qualityBounds: qualityRules.flatMap(({ metric, worseThan }) => (worseThan === undefined ? [] : [{ metric, worseThan }])),
      stateMachine,
      alarms: this.alarms.alarms,
    });

    const resources: ModelResources = {
      model: modelName,
      endpointName,
      servingKind: this.endpoint.recorder ? 'SERVERLESS' : 'REAL_TIME',
      recorderFunction: this.endpoint.recorder?.functionName,
      monitorStateMachineArn: this.monitor.stateMachine.stateMachineArn,
      stateMachineArn: stateMachine.stateMachineArn,
      decideFunction: this.pipeline._decideFunction,
    };
    new ssm.StringParameter(this, 'Parameter', {
      parameterName: modelParameter(platformName, modelName),
      description: 'Where programs find the parts of the model',
      stringValue: Stack.of(this).toJsonString(resources),
    });
  }
}
