import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { ServingSpec } from '../serving/contract';
import { ApprovalSpec } from './contract';
import { approvalTimeout, FunctionStates, StepFunctionsOfPipeline } from './function-states';
import { ReleaseStates } from './release-states';
import { ScoringStates, TRANSFORM_TIMEOUT } from './scoring-states';
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
    this.timeout = sum(this.training.timeout, TRANSFORM_TIMEOUT, RELEASE_TIMEOUT, FUNCTIONS_TIMEOUT, ...asked);
  }

  public start(): sfn.IChainable {
    const scoreHoldout = this.scoring.scoreHoldout();
    const release = this.releaseAndPromote(scoreHoldout);
    const train = chain(
      ...[this.functions.prepare(), this.training.start(), this.scoring.createCandidate(), scoreHoldout, this.functions.evaluate()],
      new sfn.Choice(this.scope, 'MakesVersion')
        .when(sfn.Condition.booleanEquals('$.prepared.rebuildOf.present', false), this.registerAndDecide(release))
        // A rebuild ends here: nothing is registered, released or promoted.
        .otherwise(chain(this.functions.compare(), this.functions.finishRebuilt())),
    );
    const rollsBack = sfn.Condition.and(sfn.Condition.isPresent('$.rollbackTo'), sfn.Condition.isNotNull('$.rollbackTo'));
    return new sfn.Choice(this.scope, 'Kind')
      .when(rollsBack, chain(this.functions.movePointer(), this.scoring.createRollbackModel(), release))
      .otherwise(train);
  }

  private registerAndDecide(release: sfn.IChainable): sfn.IChainable {
    return chain(
      this.functions.baseline(),
      this.functions.register(),
      new sfn.Choice(this.scope, 'GatePassed')
        .when(sfn.Condition.booleanEquals('$.evaluation.passed', true), chain(this.functions.approve(this.props.approval), release))
        .otherwise(this.functions.finish('FinishRejected', 'rejected')),
    );
  }

  private releaseAndPromote(judgeAgain: sfn.IChainable): sfn.IChainable {
    const promote = chain(
      this.release.promote(),
      new sfn.Choice(this.scope, 'RolledBack')
        .when(sfn.Condition.booleanEquals('$.prepared.rollback.present', true), this.functions.finish('FinishRolledBack', 'rolled-back'))
        .otherwise(this.functions.finish('FinishPromoted', 'promoted')),
    );
    return this.release.release({ judgeAgain, released: promote, rolledBack: promote });
  }
}

const chain = (first: sfn.IChainable, ...others: sfn.IChainable[]): sfn.Chain =>
  others.reduce<sfn.Chain>((before, next) => before.next(next), sfn.Chain.start(first));

const sum = (...parts: Duration[]): Duration => Duration.seconds(parts.reduce((total, part) => total + part.toSeconds(), 0));
