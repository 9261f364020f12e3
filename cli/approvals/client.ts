import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  APPROVAL_ERRORS,
  type ApprovalCall,
  type ApprovalOutcome,
  type ApprovalReply,
  type PendingApproval,
  PROOF_TEXT,
} from '../../lib/pipeline/approval/contract';
import { PIPELINE_ERRORS } from '../../lib/pipeline/contract';
import { REGISTRY_ERRORS } from '../../lib/registry/contract';
import { CliError } from '../errors';
import type { Platform } from '../platform';
import { prove } from '../prove';

const FIXES: Readonly<Record<string, string>> = {
  [APPROVAL_ERRORS.notPending]: '`mlops approvals` tells what waits',
  [APPROVAL_ERRORS.notProven]: 'check the clock of this machine, AWS_REGION, and that the session has not expired',
  [APPROVAL_ERRORS.notApprover]: 'take a role that the app names as approver (AWS_PROFILE), or ask somebody who has it',
  [PIPELINE_ERRORS.approvalExpired]: 'start another run: `mlops runs start MODEL`',
  [REGISTRY_ERRORS.forbidden]: 'ask somebody else to decide; `mlops approvals` tells who started the run and who approved',
};

export interface Verdict {
  readonly decision: 'approve' | 'reject';
  readonly reason: string;
}

/** The function that takes decisions; the caller's AWS identity is what it is asked with. */
export class ApprovalsApi {
  private readonly client: LambdaClient;

  constructor(private readonly platform: Platform) {
    this.client = new LambdaClient(platform.connection);
  }

  /** What waits for persons, soonest to expire first. */
  async pending(model?: string): Promise<PendingApproval[]> {
    const models = model === undefined ? this.platform.models : [this.platform.model(model)];
    const functions = [...new Set(models.flatMap(({ decideFunction }) => decideFunction ?? []))];
    const found = await Promise.all(functions.map((name) => this.call<PendingApproval[]>(name, { action: 'list', model })));
    return found.flat().sort((one, other) => one.expiresAt.localeCompare(other.expiresAt));
  }

  async decide(model: string, version: number, { decision, reason }: Verdict): Promise<ApprovalOutcome> {
    const { decideFunction } = this.platform.model(model);
    if (decideFunction === undefined) {
      const fix = `state Approval.manual() or Approval.twoPerson() in its app; a model without pipeline: \`mlops models transition ${model} …\``;
      throw new CliError(`the pipeline of ${model} asks nobody to approve`, fix);
    }
    const [waiting] = await this.call<PendingApproval[]>(decideFunction, { action: 'list', model, version });
    // Without a question there is nothing to decide; the function says why, or tells again what the caller has decided before.
    const question = waiting?.question ?? 'none';
    const proof = await prove(this.platform.connection, PROOF_TEXT(decideFunction, model, version, question, decision, reason));
    return this.call<ApprovalOutcome>(decideFunction, { action: 'decide', model, version, question, decision, reason, proof });
  }

  private async call<T>(FunctionName: string, call: ApprovalCall): Promise<T> {
    const { Payload, FunctionError } = await this.client.send(new InvokeCommand({ FunctionName, Payload: Buffer.from(JSON.stringify(call)) }));
    const answer: unknown = JSON.parse(Buffer.from(Payload ?? []).toString('utf8') || 'null');
    if (FunctionError !== undefined) {
      const { errorMessage = FunctionError } = (answer ?? {}) as { errorMessage?: string };
      throw new CliError(`the function that decides failed: ${errorMessage}`, 'try again; what was decided is not decided twice');
    }
    const reply = answer as ApprovalReply;
    if (!reply.ok) throw new CliError(reply.message, FIXES[reply.name]);
    return reply.value as T;
  }
}
