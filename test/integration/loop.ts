import { GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { datasetPrefix } from '../../lib/artifacts/contract';
import { modelParameter, PARAMETER_ROOT, platformParameter, type ModelResources, type PlatformResources } from '../../lib/platform/contract';
import { REGISTRY_ENV } from '../../lib/registry/contract';
import { RETRAINING_ENV, type DecisionRecord } from '../../lib/retraining/contract';
import { TRACKING_ENV } from '../../lib/tracking/contract';
import { requestRetraining } from '../../cli/demo/runs';
import { S3Files } from '../../lambda/common/s3.client';
import { GovernorClient } from '../../lambda/retraining/governor.client';
import { RunTrackerClient } from '../../lambda/tracking/run-tracker.client';
import type { RunRecord } from '../../lib/tracking/contract';
import { client, eventually, useEngine } from './harness';

/** A deployed model as its users see it: data in, runs, decisions. Sets the environment that the run-time clients read. */
export class DeployedModel {
  static async find(platformName: string, modelName: string): Promise<DeployedModel> {
    Object.assign(process.env, useEngine().env);
    const { Parameters: parameters = [] } = await client(SSMClient).send(
      new GetParametersByPathCommand({ Path: `${PARAMETER_ROOT}/${platformName}`, Recursive: true }),
    );
    const read = <T>(name: string): T => JSON.parse(parameters.find((parameter) => parameter.Name === name)?.Value as string) as T;
    const platform = read<PlatformResources>(platformParameter(platformName));
    process.env[REGISTRY_ENV.registryTable] = platform.registryTable;
    process.env[REGISTRY_ENV.historyTable] = platform.historyTable;
    process.env[TRACKING_ENV.runsTable] = platform.runsTable;
    process.env[RETRAINING_ENV.governorTable] = platform.governorTable;
    return new DeployedModel(platform, read<ModelResources>(modelParameter(platformName, modelName)));
  }

  private constructor(
    readonly platform: PlatformResources,
    readonly resources: ModelResources,
  ) {}

  async upload(name: string, csv: string): Promise<void> {
    await new S3Files().putText(`s3://${this.platform.dataBucket}/${datasetPrefix(this.resources.model)}${name}`, csv);
  }

  async decisions(): Promise<DecisionRecord[]> {
    return new GovernorClient().listDecisions(this.resources.model);
  }

  /** Asks for a run and answers its record once it ended, however it did. */
  async train(reason: string, occurredAt: string): Promise<RunRecord> {
    const before = (await this.decisions()).length;
    await requestRetraining(this.platform, this.resources, reason, occurredAt);
    const decision = await eventually('the decision', async () => (await this.decisions())[before]);
    return this.ended(decision.runId as string);
  }

  async ended(runId: string): Promise<RunRecord> {
    const runs = new RunTrackerClient();
    return eventually(
      `the end of run ${runId}`,
      async () => {
        const run = await runs.getRun(runId).catch(() => undefined);
        return run && run.status !== 'RUNNING' ? run : undefined;
      },
      120,
    );
  }
}
