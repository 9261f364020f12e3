import { findPlatform, type Platform } from '../../cli/platform';
import { sendRequest } from '../../cli/retrain/send-request';
import { S3Files } from '../../lambda/common/s3.client';
import { datasetPrefix } from '../../lib/artifacts/contract';
import type { ModelResources } from '../../lib/platform/contract';
import type { DecisionRecord } from '../../lib/retraining/contract';
import type { RunRecord } from '../../lib/tracking/contract';
import { eventually, useEngine } from './harness';

/** A deployed model as its users see it: data in, runs, decisions. */
export class DeployedModel {
  static async find(platformName: string, modelName: string): Promise<DeployedModel> {
    Object.assign(process.env, useEngine().env);
    return new DeployedModel(await findPlatform({ platform: platformName }), modelName);
  }

  readonly resources: ModelResources;

  private constructor(
    readonly platform: Platform,
    private readonly name: string,
  ) {
    this.resources = platform.model(name);
  }

  async upload(name: string, csv: string): Promise<void> {
    await new S3Files().putText(`s3://${this.platform.resources.dataBucket}/${datasetPrefix(this.name)}${name}`, csv);
  }

  async decisions(): Promise<DecisionRecord[]> {
    return this.platform.governor.listDecisions(this.name);
  }

  /** Asks for a run and answers its record once it ended, however it did. */
  async train(reason: string, occurredAt: string): Promise<RunRecord> {
    // The governor gets its lock back from an event of its own, a moment after a run has ended.
    await eventually('the end of the run before', async () => ((await this.platform.governor.state(this.name)).lock ? undefined : true));
    const before = (await this.decisions()).length;
    await sendRequest(this.platform, this.name, { reason, occurredAt, requestedBy: 'the test' });
    const decision = await eventually('the decision', async () => (await this.decisions())[before]);
    return this.ended(decision.runId as string);
  }

  async ended(runId: string): Promise<RunRecord> {
    return eventually(
      `the end of run ${runId}`,
      async () => {
        const run = await this.platform.runs.getRun(runId).catch(() => undefined);
        return run && run.status !== 'RUNNING' ? run : undefined;
      },
      120,
    );
  }
}
