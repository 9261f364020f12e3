import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { deploymentWaitSeconds, ServingSpec } from '../serving/contract';
import { ApprovalSpec } from './contract';
import { approvalTimeout, FunctionStates, StepFunctionsOfPipeline } from './function-states';
import { ReleaseStates } from './release-states';
import { SageMakerTask } from './sagemaker-task';
import { ScoringStates, TRANSFORM_TIMEOUT } from './scoring-states';
import { SdkTask } from './sdk-task';
import { BoundSteps } from './steps/pipeline-steps';
import { StandardStep } from './steps/standard-step';
import { BoundTraining } from './training';
import { TrainingStates, TrainingStatesProps } from './training-states';

/** An endpoint that SageMaker has not brought up or given up within this time. */
const RELEASE_TIMEOUT = Duration.hours(4);
const FUNCTIONS_TIMEOUT = Duration.hours(2);

export interface PipelineDefinitionProps {
  readonly endpointName: string;
  readonly serving: ServingSpec;
  readonly training: BoundTraining;
  readonly trainingRole: iam.IRole;
  readonly trainingNetwork?: TrainingStatesProps['trainingNetwork'];
  readonly modelRole: iam.IRole;
  readonly outputKeyArn: string;
  readonly approval: ApprovalSpec;
  readonly functions: StepFunctionsOfPipeline;
  /** Steps of the user's own. */
  readonly steps: BoundSteps;
}

/**
 * The states of the standard pipeline. Only references pass between them; no state catches: what fails for good fails the execution, so that a
 * redrive goes on at the failed state.
 *
 * @internal
 */
export class PipelineDefinition {
  /** Sum of what the states may take, so that no execution hangs for ever. */
  public readonly timeout: Duration;
  private readonly functions: FunctionStates;
  private readonly training: TrainingStates;
  private readonly scoring: ScoringStates;
  private readonly release: ReleaseStates;

  constructor(
    private readonly scope: Construct,
    private readonly props: PipelineDefinitionProps,
  ) {
    const { functions, training, approval } = props;
    this.functions = new FunctionStates(scope, functions);
    this.training = new TrainingStates(scope, props);
    this.scoring = new ScoringStates(scope, { ...props, instanceType: training.settings.instanceType });
    this.release = new ReleaseStates(scope, { ...props, release: functions.release, promote: functions.promote });
    const asked = approval.policy === 'automatic' ? [] : [approvalTimeout(approval)];
    // What a deployment waits by itself comes on top.
    const release = RELEASE_TIMEOUT.plus(Duration.seconds(deploymentWaitSeconds(props.serving.deployment)));
    this.timeout = sum(this.training.timeout, TRANSFORM_TIMEOUT, release, FUNCTIONS_TIMEOUT, props.steps.longest, ...asked);
  }

  public start(): sfn.IChainable {
    const [scoreHoldout, ...scored] = this.standard(StandardStep.SCORE_HOLDOUT, () => this.scoring.scoreHoldout());
    const release = this.releaseAndPromote(scoreHoldout);
    const next = this.props.steps.afterPrepare[0] ?? (this.props.training.tuning ? 'tune' : 'train');
    const train = chain(
      ...this.around(StandardStep.PREPARE_DATA, () => this.functions.prepare(next)),
      ...this.around(StandardStep.TRAIN, () => this.training.start()),
      this.scoring.createCandidate(),
      ...[...this.props.steps.before(StandardStep.SCORE_HOLDOUT), scoreHoldout, ...scored, ...this.props.steps.after(StandardStep.SCORE_HOLDOUT)],
      ...this.around(StandardStep.EVALUATE, () => this.functions.evaluate()),
      new sfn.Choice(this.scope, 'MakesVersion')
        .when(sfn.Condition.booleanEquals('$.prepared.rebuildOf.present', false), this.registerAndDecide(release.ofCandidate))
        // A rebuild ends here: nothing is registered, released or promoted.
        .otherwise(chain(this.functions.compare(), this.functions.finishRebuilt())),
    );
    const rollsBack = sfn.Condition.and(sfn.Condition.isPresent('$.rollbackTo'), sfn.Condition.isNotNull('$.rollbackTo'));
    return new sfn.Choice(this.scope, 'Kind')
      .when(rollsBack, chain(this.functions.movePointer(), this.scoring.createRollbackModel(), release.ofRollback))
      .otherwise(train);
  }

  /** ARN patterns of what the states make; none but these is allowed to them. */
  public namedAtRunTime(): string[] {
    const tasks = this.scope.node.findAll().filter((node) => node instanceof SageMakerTask || node instanceof SdkTask);
    return [...new Set(tasks.flatMap(({ resources }) => resources))];
  }

  private registerAndDecide(release: sfn.IChainable): sfn.IChainable {
    const approve = [...this.around(StandardStep.APPROVE, () => this.functions.approve(this.props.approval)), release];
    return chain(
      ...this.around(StandardStep.BASELINE, () => this.functions.baseline()),
      ...this.around(StandardStep.REGISTER, () => this.functions.register()),
      new sfn.Choice(this.scope, 'GatePassed')
        .when(sfn.Condition.booleanEquals('$.evaluation.passed', true), chain(...approve))
        .otherwise(this.functions.finish('FinishRejected', 'rejected')),
    );
  }

  /** Steps of the user's own around a release and a promotion are for new versions: a rollback goes its shortest way. */
  private releaseAndPromote(judgeAgain: sfn.IChainable): { readonly ofCandidate: sfn.IChainable; readonly ofRollback: sfn.IChainable } {
    const { steps } = this.props;
    const promote = this.release.promote();
    const finish = new sfn.Choice(this.scope, 'RolledBack')
      .when(sfn.Condition.booleanEquals('$.prepared.rollback.present', true), this.functions.finish('FinishRolledBack', 'rolled-back'))
      .otherwise(chain(...steps.after(StandardStep.PROMOTE), this.functions.finish('FinishPromoted', 'promoted')));
    promote.next(finish);
    const released = chain(...steps.after(StandardStep.RELEASE), ...steps.before(StandardStep.PROMOTE), promote);
    const own = steps.insteadOf(StandardStep.RELEASE);
    const before = steps.before(StandardStep.RELEASE);
    if (own === undefined) {
      const release = this.release.release({ judgeAgain, released, rolledBack: promote });
      return { ofCandidate: chain(...before, release), ofRollback: release };
    }
    if (own.length === 0) return { ofCandidate: chain(...before, released), ofRollback: promote };
    const after = new sfn.Choice(this.scope, 'Released')
      .when(sfn.Condition.booleanEquals('$.prepared.rollback.present', true), promote)
      .otherwise(released);
    const release = chain(...own, after);
    return { ofCandidate: chain(...before, release), ofRollback: release };
  }

  /** A standard step with what stands before and after it. */
  private around(step: StandardStep, make: () => sfn.IChainable): sfn.IChainable[] {
    const { steps } = this.props;
    return [...steps.before(step), ...this.standard(step, make), ...steps.after(step)];
  }

  /** A standard step, or what stands in its place. */
  private standard(step: StandardStep, make: () => sfn.IChainable): sfn.IChainable[] {
    return this.props.steps.insteadOf(step) ?? [make()];
  }
}

const chain = (...[first, ...others]: sfn.IChainable[]): sfn.Chain =>
  others.reduce<sfn.Chain>((before, next) => before.next(next), sfn.Chain.start(first));

const sum = (...parts: Duration[]): Duration => Duration.seconds(parts.reduce((total, part) => total + part.toSeconds(), 0));
