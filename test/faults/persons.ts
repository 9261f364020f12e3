import { InvokeCommand, LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { ApprovalsApi } from '../../cli/approvals/client';
import { Platform } from '../../cli/platform';
import type { ApprovalOutcome, PendingApproval } from '../../lib/pipeline/approval/contract';
import { client, useEngine } from '../integration/harness';
import type { DeployedModel } from '../integration/loop';
import { reviewerOf } from './app';

/** The person who approves the versions of one model, as their terminal does. */
export class Reviewer {
  static async of(model: DeployedModel, name: string): Promise<Reviewer> {
    const { region, endpoint, accountId } = useEngine();
    const RoleArn = `arn:aws:iam::${accountId}:role/${reviewerOf(model.platform.name)}`;
    const { Credentials } = await client(STSClient).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'ana' }));
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken } = Credentials ?? {};
    const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
    const connection = { region, endpoint, credentials };
    return new Reviewer(new ApprovalsApi(new Platform(connection, model.platform.resources, [model.resources])), name);
  }

  private constructor(
    private readonly api: ApprovalsApi,
    private readonly model: string,
  ) {}

  /** What a run asks, if it does. */
  async question(runId: string): Promise<PendingApproval | undefined> {
    return (await this.api.pending(this.model)).find((one) => one.runId === runId);
  }

  async approve(version: number): Promise<ApprovalOutcome> {
    return this.api.decide(this.model, version, { decision: 'approve', reason: 'the report is fine' });
  }
}

/** Looks after what waits, as the schedule does every five minutes. */
export const sweep = async (platformName: string): Promise<void> => {
  const lambda = client(LambdaClient);
  for await (const { Functions = [] } of paginateListFunctions({ client: lambda }, {})) {
    for (const { FunctionName, Description = '', Environment } of Functions) {
      if (!Description.startsWith('Reminds of approvals') || Environment?.Variables?.MLOPS_PLATFORM !== platformName) continue;
      const { FunctionError } = await lambda.send(new InvokeCommand({ FunctionName, Payload: Buffer.from('{}') }));
      if (FunctionError !== undefined) throw new Error(`the sweep of ${platformName} failed`);
    }
  }
};
