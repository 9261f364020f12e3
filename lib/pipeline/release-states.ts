import { createHash } from 'node:crypto';
import { Duration } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { ServingSpec, VARIANT_NAME } from '../serving/contract';
import { FUNCTION_TIMEOUT } from './function-states';
import { FunctionTask } from './function-task';
import { at } from './names';

const POLL = Duration.seconds(30);

export interface ReleaseStatesProps {
  readonly endpointName: string;
  readonly serving: ServingSpec;
  readonly release: lambda.IFunction;
  readonly promote: lambda.IFunction;
}

/** Where a release leads. */
export interface ReleasePaths {
  /** Another champion than the one that the candidate was judged against serves meanwhile: `$.prepared` names it now. */
  readonly judgeAgain: sfn.IChainable;
  /** The endpoint runs the new version. */
  readonly released: sfn.IChainable;
  /** The endpoint runs an older version again. */
  readonly rolledBack: sfn.IChainable;
}

/**
 * The states in which the endpoint moves to a version, and the version becomes the champion.
 *
 * @internal
 */
export class ReleaseStates {
  constructor(
    private readonly scope: Construct,
    private readonly props: ReleaseStatesProps,
  ) {}

  public release({ judgeAgain, released, rolledBack }: ReleasePaths): sfn.Chain {
    const nextRound = new sfn.Pass(this.scope, 'NextRound', { inputPath: '$.release.prepared', resultPath: '$.prepared' });
    const wait = new sfn.Wait(this.scope, 'WaitForRelease', { time: sfn.WaitTime.duration(POLL) });
    const done = sfn.Condition.booleanEquals('$.release.done', true);
    const rollback = sfn.Condition.booleanEquals('$.prepared.rollback.present', true);
    const look = wait.next(this.step('CheckRelease', 'check')).next(
      new sfn.Choice(this.scope, 'ReleaseDone').when(sfn.Condition.and(done, rollback), rolledBack).when(done, released).otherwise(wait),
    );
    return sfn.Chain.start(this.step('StartRelease', 'start')).next(
      new sfn.Choice(this.scope, 'ChampionMoved')
        .when(sfn.Condition.booleanEquals('$.release.championMoved', true), nextRound.next(judgeAgain))
        .otherwise(look),
    );
  }

  public promote(): FunctionTask {
    const { serving, promote } = this.props;
    return new FunctionTask(this.scope, 'Promote', {
      function: promote,
      payload: {
        model: at('$.model'),
        version: sfn.JsonPath.numberAt('$.registered.version'),
        runId: at('$.runId'),
        expectedChampion: sfn.JsonPath.numberAt('$.prepared.champion.version'),
        reason: at('$.evaluation.reason'),
        evaluation: sfn.JsonPath.objectAt('$.evaluation'),
        endpointName: serving.endpointName,
        predictionsUri: `${serving.captureUri}/${serving.endpointName}/${VARIANT_NAME}/`,
      },
      resultPath: sfn.JsonPath.DISCARD,
      timeout: FUNCTION_TIMEOUT,
    });
  }

  private step(id: string, action: 'start' | 'check'): FunctionTask {
    const { serving, endpointName, release } = this.props;
    // The name says what the configuration holds, as far as it is known at synth: another size of the same version is another configuration.
    const { kind, memorySizeInMb, maxConcurrency, instanceType, initialInstanceCount, captureSamplingPercentage } = serving;
    const known = [kind, memorySizeInMb, maxConcurrency, instanceType, initialInstanceCount, captureSamplingPercentage];
    const size = createHash('sha256').update(JSON.stringify(known)).digest('hex').slice(0, 8);
    const request = {
      action,
      version: sfn.JsonPath.numberAt('$.registered.version'),
      runId: at('$.runId'),
      sagemakerModelName: at('$.candidate.sagemakerModelName'),
      endpointConfigName: sfn.JsonPath.format(`${endpointName}-v{}-${size}`, at('$.registered.version')),
      expectedChampion: sfn.JsonPath.numberAt('$.prepared.champion.version'),
      prepared: sfn.JsonPath.objectAt('$.prepared'),
      rollback: sfn.JsonPath.objectAt('$.prepared.rollback.present'),
      redriveCount: sfn.JsonPath.numberAt('$$.Execution.RedriveCount'),
    };
    const watched = {
      startedAtRedrive: sfn.JsonPath.numberAt('$.release.startedAtRedrive'),
      previousEndpointConfigName: at('$.release.previousEndpointConfigName'),
    };
    const payload = action === 'start' ? request : { ...request, ...watched };
    return new FunctionTask(this.scope, id, { function: release, payload, resultPath: '$.release', timeout: FUNCTION_TIMEOUT });
  }
}
