import { Duration } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { ApprovalSpec } from './contract';
import { FunctionTask } from './function-task';
import { at } from './names';

/** Longer than any function may run, so that the function's own timeout names the cause. */
export const FUNCTION_TIMEOUT = Duration.minutes(16);
/** Beyond the expiry, so that what ends an approval is the function that also closes it on record. */
const AFTER_EXPIRY = Duration.hours(1);

/** How long the state that asks for an approval may last. */
export const approvalTimeout = ({ expirySeconds = 0 }: ApprovalSpec): Duration => Duration.seconds(expirySeconds).plus(AFTER_EXPIRY);

export interface StepFunctionsOfPipeline {
  readonly prepare: lambda.IFunction;
  readonly evaluate: lambda.IFunction;
  readonly baseline: lambda.IFunction;
  readonly register: lambda.IFunction;
  readonly approve: lambda.IFunction;
  /** Only where somebody has to be asked. */
  readonly requestApproval?: lambda.IFunction;
  readonly release: lambda.IFunction;
  readonly promote: lambda.IFunction;
  readonly finish: lambda.IFunction;
}

/** Input of the execution and what tells one execution from another; an input as a whole, since a path to what it lacks fails the execution. */
const RUN = {
  model: at('$.model'),
  runId: at('$.runId'),
  causeId: at('$.causeId'),
  cause: at('$.cause'),
  occurredAt: at('$.occurredAt'),
  request: sfn.JsonPath.objectAt('$'),
  executionArn: at('$$.Execution.Id'),
  startTime: at('$$.Execution.StartTime'),
};

const JUDGED = {
  runId: at('$.runId'),
  model: at('$.model'),
  prepared: sfn.JsonPath.objectAt('$.prepared'),
  trainingJob: sfn.JsonPath.objectAt('$.trainingJob'),
};

/**
 * The states in which functions prepare, judge and register a candidate, and end the run.
 *
 * @internal
 */
export class FunctionStates {
  constructor(
    private readonly scope: Construct,
    private readonly functions: StepFunctionsOfPipeline,
  ) {}

  /** @param next step that follows, where no function of ours can record its beginning */
  public prepare(next: string): FunctionTask {
    return this.step('PrepareData', this.functions.prepare, '$.prepared', { ...RUN, next });
  }

  /** Begins a rollback: artifact and image are looked for, then the champion pointer moves. */
  public movePointer(): FunctionTask {
    return this.step('MovePointer', this.functions.register, '$', { ...RUN, rollbackTo: sfn.JsonPath.numberAt('$.rollbackTo') });
  }

  public evaluate(): FunctionTask {
    return this.step('Evaluate', this.functions.evaluate, '$.evaluation', { ...JUDGED, scoring: sfn.JsonPath.objectAt('$.scoring') });
  }

  public baseline(): FunctionTask {
    return this.step('Baseline', this.functions.baseline, '$.baseline', {
      runId: at('$.runId'),
      trainUri: at('$.prepared.trainUri'),
      holdoutUri: at('$.prepared.holdoutUri'),
      candidateScoresUri: at('$.prepared.candidateScoresUri'),
      reportUri: at('$.evaluation.reportUri'),
    });
  }

  public register(): FunctionTask {
    return this.step('Register', this.functions.register, '$.registered', {
      ...JUDGED,
      causeId: at('$.causeId'),
      cause: at('$.cause'),
      manifestUri: at('$.prepared.manifestUri'),
      sagemakerModelName: at('$.candidate.sagemakerModelName'),
      evaluation: sfn.JsonPath.objectAt('$.evaluation'),
      baselineUri: at('$.baseline.baselineUri'),
    });
  }

  /** What a rebuild made, beside the record. */
  public compare(): FunctionTask {
    return this.step('Compare', this.functions.register, '$.comparison', {
      ...JUDGED,
      rebuildOf: sfn.JsonPath.numberAt('$.prepared.rebuildOf.version'),
      evaluation: sfn.JsonPath.objectAt('$.evaluation'),
    });
  }

  /** By policy, or by people: then the state waits for their answer. */
  public approve(approval: ApprovalSpec): FunctionTask {
    const { approve, requestApproval } = this.functions;
    const about = {
      model: at('$.model'),
      runId: at('$.runId'),
      version: sfn.JsonPath.numberAt('$.registered.version'),
      policy: approval.policy,
      reason: at('$.evaluation.reason'),
    };
    const judged = { round: sfn.JsonPath.numberAt('$.prepared.round'), reportUri: at('$.evaluation.reportUri') };
    if (approval.policy === 'automatic') return this.step('Approve', approve, sfn.JsonPath.DISCARD, { ...about, ...judged });
    if (requestApproval === undefined) throw new Error(`approval by ${approval.policy} needs the function that asks for it`);
    return new FunctionTask(this.scope, 'RequestApproval', {
      function: requestApproval,
      waitForToken: true,
      payload: {
        ...about,
        ...judged,
        cause: at('$.cause'),
        expirySeconds: approval.expirySeconds,
        ...(approval.reminderSeconds !== undefined && { reminderSeconds: approval.reminderSeconds }),
        ...(approval.approverRoles && { approverRoles: approval.approverRoles }),
        // The input of the execution, not of the state: who started the run stands there, if anybody did.
        request: sfn.JsonPath.objectAt('$$.Execution.Input'),
        executionArn: at('$$.Execution.Id'),
        enteredAt: at('$$.State.EnteredTime'),
        taskToken: at('$$.Task.Token'),
      },
      resultPath: '$.approval',
      timeout: approvalTimeout(approval),
    });
  }

  public finish(id: string, outcome: 'promoted' | 'rejected' | 'rolled-back'): FunctionTask {
    return this.step(id, this.functions.finish, '$', {
      runId: at('$.runId'),
      model: at('$.model'),
      outcome,
      version: sfn.JsonPath.numberAt('$.registered.version'),
    });
  }

  public finishRebuilt(): FunctionTask {
    return this.step('FinishRebuilt', this.functions.finish, '$', {
      runId: at('$.runId'),
      model: at('$.model'),
      outcome: 'rebuilt',
      version: sfn.JsonPath.numberAt('$.prepared.rebuildOf.version'),
      comparison: sfn.JsonPath.objectAt('$.comparison'),
    });
  }

  private step(id: string, fn: lambda.IFunction, resultPath: string, payload: { readonly [field: string]: unknown }): FunctionTask {
    return new FunctionTask(this.scope, id, { function: fn, payload, resultPath, timeout: FUNCTION_TIMEOUT });
  }
}
