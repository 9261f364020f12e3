import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { modelRunsPrefix } from '../artifacts/contract';
import { TASK_METRICS } from '../common/contract';
import { Validator } from '../common/validation';
import { modelMetric } from '../operations/alarm-factory';
import { METRICS } from '../operations/contract';
import { checkRules, statedRules } from '../registry/version-rule';
import { ReleaseWatch } from '../serving/release-watch';
import { ApprovalFunctions } from './approval/approval-functions';
import { PipelineSpec } from './contract';
import { Gate } from './gate';
import { checkPrices } from './instance-prices';
import { bindNetwork, grantVolumeKey } from './job-settings';
import { PermutationImportance } from './permutation-importance';
import { PipelineDefinition } from './pipeline-definition';
import { PipelineFunctions } from './pipeline-functions';
import { SharedSteps } from './shared-steps';
import { makeMachineRole, makePipelineLog, makeStateMachine } from './state-machine';
import { PipelineSteps } from './steps/pipeline-steps';
import { TrainingPipelineProps } from './training-pipeline-props';
import { TrainingRole } from './training-role';

/**
 * From data to a registered, approved and serving version: prepare, train, score, evaluate, baseline, register, approve, release, promote.
 *
 * A run is an execution of the state machine; its name is the run id, its input a `PipelineInput`. What fails for good fails the execution; a
 * redrive goes on where it failed. The champion changes only after the live endpoint was seen to run the new version.
 */
export class TrainingPipeline extends Construct {
  /** The pipeline itself. */
  public readonly stateMachine: sfn.StateMachine;
  /** Role that training jobs run under. */
  public readonly trainingRole: iam.Role;
  /** Status events of runs that could not be handled. */
  public readonly deadLetters: sqs.IQueue;

  private readonly platformName: string;
  private readonly modelName: string;
  private readonly decide?: lambda.Function;

  /** Fails at synth, with every problem in one message, if a name, the gate, the approval or the training does not fit the task or AWS's rules. */
  constructor(scope: Construct, id: string, props: TrainingPipelineProps) {
    super(scope, id);
    const { modelName, platformName, endpoint, store } = props;
    this.platformName = platformName;
    this.modelName = modelName;
    const task = props.task._toSpec();
    const validator = new Validator(`TrainingPipeline ${this.node.path}`)
      .name('modelName', modelName)
      .name('platformName', platformName)
      .check(props.approval !== undefined, {
        rule: 'who approves a version has to be stated',
        place: 'approval',
        fix: 'use Approval.automatic(), Approval.manual() or Approval.twoPerson()',
      });
    const judged = props.gate ?? Gate.beatsChampion({ metric: TASK_METRICS[task.kind][0] });
    const gate = judged._toSpec(task, validator, props.training._holdout(task).days);
    props.approval?._validate(validator);
    checkRules(validator, props.registryRules, props.approval);
    const steps = props.steps ?? PipelineSteps.standard();
    steps._validate(validator);
    checkPrices(validator, props.instancePrices, [props.training._instanceType]);
    const training = props.training._bind(this, task, validator);
    const registryRules = statedRules(props.registryRules, props.approval);
    const registered = { owner: props.owner, registryRules };
    const importance = (props.permutationImportance ?? PermutationImportance.sampled())._toSpec();
    const spec: PipelineSpec = { model: modelName, task, gate, importance, jobNamePrefix: endpoint.endpointName, ...registered, ...training.spec };

    this.trainingRole = new TrainingRole(this, 'TrainingRole', modelName, store);
    for (const role of [this.trainingRole, endpoint.executionRole]) {
      training.grantPull(this, role);
      // SageMaker asks for it of the role of a job whose output has a key of its own; S3 needs less.
      store.encryptionKey.grant(role, 'kms:Encrypt');
    }
    grantVolumeKey(training.options, this.trainingRole);
    // The model's role also scores the holdout.
    store.grantReadData(endpoint.executionRole, modelRunsPrefix(modelName));
    store.grantWriteArtifacts(endpoint.executionRole, modelRunsPrefix(modelName));

    const log = makePipelineLog(this, endpoint);
    const own = new PipelineFunctions(this, 'Functions', props, spec, training.code, log);
    training.grantDigest(this, own.register);
    props.tracker.grantReadWrite(props.monitor.baselineFunction);
    const shared = SharedSteps.of(this, props);
    const { deadLetters } = shared;
    const persons = props.approval && !props.approval._isAutomatic() ? ApprovalFunctions.of(this, { ...props, deadLetters }) : undefined;
    this.decide = persons?.decide;
    const states = new Construct(this, 'States');
    const stateMachineRole = makeMachineRole(this, endpoint);
    const definition = new PipelineDefinition(states, {
      endpointName: endpoint.endpointName,
      serving: endpoint._toSpec(),
      training,
      trainingRole: this.trainingRole,
      trainingNetwork: bindNetwork(this, training.options, this.trainingRole),
      modelRole: endpoint.executionRole,
      outputKeyArn: store.encryptionKey.keyArn,
      approval: props.approval?._toSpec() ?? { policy: 'automatic' },
      steps: steps._bind(states, { modelName, platformName, store, endpoint, stateMachineRole }),
      functions: {
        prepare: own.prepare,
        evaluate: own.evaluate,
        baseline: props.monitor.baselineFunction,
        register: own.register,
        approve: shared.approve,
        requestApproval: persons?.request,
        release: own.release,
        promote: shared.promote,
        finish: shared.finish,
      },
    });
    this.stateMachine = makeStateMachine(this, endpoint, stateMachineRole, definition, log);
    this.deadLetters = deadLetters;
    shared.watch(this.stateMachine);
    const serving = endpoint._toSpec();
    if (serving.deployment.watchSeconds > 0) ReleaseWatch.of(this, { ...props, deadLetters }).watch(serving, this.stateMachine);
    if (props.approval) persons?.serve(modelName, props.approval, this.stateMachine);
  }

  /** Allows a grantee to start runs. */
  public grantStartRun(grantee: iam.IGrantable): iam.Grant {
    return this.stateMachine.grantStartExecution(grantee);
  }

  /**
   * Allows a grantee to list versions that wait for approval and to decide about them: to call one function, for all models of the platform that
   * persons approve. `approvers` of the approval restrict a single model.
   *
   * Fails at synth where the approval is automatic.
   */
  public grantApprove(grantee: iam.IGrantable): iam.Grant {
    if (this.decide) return iam.Grant.addToPrincipal({ grantee, actions: ['lambda:InvokeFunction'], resourceArns: [this.decide.functionArn] });
    throw new Error(`TrainingPipeline ${this.node.path}: nobody approves where the approval is automatic; use Approval.manual() or twoPerson()`);
  }

  /**
   * Name of the function that takes the decisions of persons.
   *
   * @internal
   */
  public get _decideFunction(): string | undefined {
    return this.decide?.functionName;
  }

  /**
   * Runs that ended with a version promoted or rejected.
   *
   * @default - sum over 5 minutes
   */
  public metricSucceeded(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.metric(METRICS.pipelineSucceeded, options);
  }

  /**
   * Runs whose candidate did not pass the gate; they count as succeeded too.
   *
   * @default - sum over 5 minutes
   */
  public metricRejected(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.metric(METRICS.candidateRejected, options);
  }

  /**
   * Runs that failed, timed out or were aborted.
   *
   * @default - sum over 5 minutes
   */
  public metricFailed(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.metric(METRICS.pipelineFailed, options);
  }

  private metric(metricName: string, options: cloudwatch.MetricOptions): cloudwatch.Metric {
    return modelMetric(this.platformName, this.modelName, metricName).with(options);
  }
}
