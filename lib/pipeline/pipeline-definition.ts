import { createHash } from 'node:crypto';
import { Duration } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { ServingSpec, VARIANT_NAME } from '../serving/contract';
import { FunctionTask } from './function-task';
import { at, PROVISIONING, SageMakerSteps, SageMakerStepsProps, TRANSFORM_TIMEOUT } from './sagemaker-steps';

const POLL = Duration.seconds(30);
/** An endpoint that SageMaker has not brought up or given up within this time. */
const RELEASE_TIMEOUT = Duration.hours(4);

export interface PipelineDefinitionProps extends SageMakerStepsProps {
  readonly serving: ServingSpec;
  readonly approvalPolicy: string;
  readonly functions: {
    readonly prepare: lambda.IFunction;
    readonly evaluate: lambda.IFunction;
    readonly baseline: lambda.IFunction;
    readonly register: lambda.IFunction;
    readonly approve: lambda.IFunction;
    readonly release: lambda.IFunction;
    readonly promote: lambda.IFunction;
    readonly finish: lambda.IFunction;
  };
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
  private readonly sagemaker: SageMakerSteps;

  constructor(
    private readonly scope: Construct,
    private readonly props: PipelineDefinitionProps,
  ) {
    this.sagemaker = new SageMakerSteps(scope, props);
    const { maxRuntime } = props.training;
    const parts = [maxRuntime, PROVISIONING, TRANSFORM_TIMEOUT, RELEASE_TIMEOUT, Duration.hours(2)];
    this.timeout = Duration.seconds(parts.reduce((sum, part) => sum + part.toSeconds(), 0));
  }

  public start(): sfn.IChainable {
    return sfn.Chain.start(this.prepare())
      .next(this.sagemaker.train())
      .next(this.sagemaker.createCandidate())
      .next(this.scoreHoldout())
      .next(this.evaluate())
      .next(
        new sfn.Choice(this.scope, 'MakesVersion')
          .when(sfn.Condition.booleanEquals('$.prepared.rebuildOf.present', false), this.registerAndDecide())
          .otherwise(this.compare()),
      );
  }

  private registerAndDecide(): sfn.IChainable {
    return this.step('Baseline', this.props.functions.baseline, '$.baseline', {
      runId: at('$.runId'),
      trainUri: at('$.prepared.trainUri'),
      holdoutUri: at('$.prepared.holdoutUri'),
      candidateScoresUri: at('$.prepared.candidateScoresUri'),
    })
      .next(this.register())
      .next(
        new sfn.Choice(this.scope, 'GatePassed')
          .when(sfn.Condition.booleanEquals('$.evaluation.passed', true), this.approveAndRelease())
          .otherwise(this.finish('FinishRejected', 'rejected')),
      );
  }

  /** The end of a rebuild: nothing is registered, released or promoted. */
  private compare(): sfn.IChainable {
    const compare = this.step('Compare', this.props.functions.register, '$.comparison', {
      model: at('$.model'),
      runId: at('$.runId'),
      rebuildOf: sfn.JsonPath.numberAt('$.prepared.rebuildOf.version'),
      prepared: sfn.JsonPath.objectAt('$.prepared'),
      trainingJob: sfn.JsonPath.objectAt('$.trainingJob'),
      evaluation: sfn.JsonPath.objectAt('$.evaluation'),
    });
    const finish = this.step('FinishRebuilt', this.props.functions.finish, '$', {
      runId: at('$.runId'),
      model: at('$.model'),
      outcome: 'rebuilt',
      version: sfn.JsonPath.numberAt('$.prepared.rebuildOf.version'),
      comparison: sfn.JsonPath.objectAt('$.comparison'),
    });
    return compare.next(finish);
  }

  private prepare(): sfn.IChainable & sfn.INextable {
    return this.step('PrepareData', this.props.functions.prepare, '$.prepared', {
      model: at('$.model'),
      runId: at('$.runId'),
      causeId: at('$.causeId'),
      cause: at('$.cause'),
      occurredAt: at('$.occurredAt'),
      // As a whole, since a path to what an input lacks fails the execution.
      request: sfn.JsonPath.objectAt('$'),
      executionArn: at('$$.Execution.Id'),
      startTime: at('$$.Execution.StartTime'),
    });
  }

  /** Both models score the same rows, in the containers that serve them. */
  private scoreHoldout(): sfn.Parallel {
    const champion = this.sagemaker.createChampion().next(
      this.sagemaker.transform('ScoreChampion', 'p', '$.champion.sagemakerModelName', '$.prepared.championScoresUri'),
    );
    return new sfn.Parallel(this.scope, 'ScoreHoldout', { resultPath: sfn.JsonPath.DISCARD })
      .branch(this.sagemaker.transform('ScoreCandidate', 'c', '$.candidate.sagemakerModelName', '$.prepared.candidateScoresUri'))
      .branch(
        new sfn.Choice(this.scope, 'ChampionPresent')
          .when(sfn.Condition.booleanEquals('$.prepared.champion.present', true), champion)
          .otherwise(new sfn.Pass(this.scope, 'NoChampion')),
      );
  }

  private evaluate(): FunctionTask {
    return this.step('Evaluate', this.props.functions.evaluate, '$.evaluation', {
      runId: at('$.runId'),
      model: at('$.model'),
      prepared: sfn.JsonPath.objectAt('$.prepared'),
      trainingJob: sfn.JsonPath.objectAt('$.trainingJob'),
    });
  }

  private register(): FunctionTask {
    return this.step('Register', this.props.functions.register, '$.registered', {
      runId: at('$.runId'),
      causeId: at('$.causeId'),
      cause: at('$.cause'),
      model: at('$.model'),
      manifestUri: at('$.prepared.manifestUri'),
      prepared: sfn.JsonPath.objectAt('$.prepared'),
      trainingJob: sfn.JsonPath.objectAt('$.trainingJob'),
      sagemakerModelName: at('$.candidate.sagemakerModelName'),
      evaluation: sfn.JsonPath.objectAt('$.evaluation'),
      baselineUri: at('$.baseline.baselineUri'),
    });
  }

  private approveAndRelease(): sfn.IChainable {
    const { functions, approvalPolicy, serving } = this.props;
    const version = sfn.JsonPath.numberAt('$.registered.version');
    const approve = this.step('Approve', functions.approve, sfn.JsonPath.DISCARD, {
      model: at('$.model'),
      version,
      policy: approvalPolicy,
      reason: at('$.evaluation.reason'),
    });
    const promote = this.step('Promote', functions.promote, sfn.JsonPath.DISCARD, {
      model: at('$.model'),
      version,
      runId: at('$.runId'),
      expectedChampion: sfn.JsonPath.numberAt('$.prepared.champion.version'),
      reason: at('$.evaluation.reason'),
      endpointName: serving.endpointName,
      predictionsUri: `${serving.captureUri}/${serving.endpointName}/${VARIANT_NAME}/`,
    });
    const wait = new sfn.Wait(this.scope, 'WaitForRelease', { time: sfn.WaitTime.duration(POLL) });
    const done = new sfn.Choice(this.scope, 'ReleaseDone')
      .when(sfn.Condition.booleanEquals('$.release.done', true), promote.next(this.finish('FinishPromoted', 'promoted')))
      .otherwise(wait);
    return approve.next(this.release('StartRelease', 'start')).next(wait).next(this.release('CheckRelease', 'check')).next(done);
  }

  private release(id: string, action: 'start' | 'check'): FunctionTask {
    const { serving, endpointName, functions } = this.props;
    // The name says what the configuration holds, as far as it is known at synth: another size of the same version is another configuration.
    const { kind, memorySizeInMb, maxConcurrency, instanceType, initialInstanceCount, captureSamplingPercentage } = serving;
    const known = [kind, memorySizeInMb, maxConcurrency, instanceType, initialInstanceCount, captureSamplingPercentage];
    const size = createHash('sha256').update(JSON.stringify(known)).digest('hex').slice(0, 8);
    const request = {
      action,
      version: sfn.JsonPath.numberAt('$.registered.version'),
      sagemakerModelName: at('$.candidate.sagemakerModelName'),
      endpointConfigName: sfn.JsonPath.format(`${endpointName}-v{}-${size}`, at('$.registered.version')),
      expectedChampion: sfn.JsonPath.numberAt('$.prepared.champion.version'),
      redriveCount: sfn.JsonPath.numberAt('$$.Execution.RedriveCount'),
    };
    const watched = {
      startedAtRedrive: sfn.JsonPath.numberAt('$.release.startedAtRedrive'),
      previousEndpointConfigName: at('$.release.previousEndpointConfigName'),
    };
    return this.step(id, functions.release, '$.release', action === 'start' ? request : { ...request, ...watched });
  }

  private finish(id: string, outcome: 'promoted' | 'rejected'): FunctionTask {
    return this.step(id, this.props.functions.finish, '$', {
      runId: at('$.runId'),
      model: at('$.model'),
      outcome,
      version: sfn.JsonPath.numberAt('$.registered.version'),
    });
  }

  private step(id: string, fn: lambda.IFunction, resultPath: string, payload: { readonly [field: string]: unknown }): FunctionTask {
    // Longer than any function may run, so that the function's own timeout names the cause.
    return new FunctionTask(this.scope, id, { function: fn, payload, resultPath, timeout: Duration.minutes(16) });
  }
}
