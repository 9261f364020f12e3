import { S3Client } from '@aws-sdk/client-s3';
import { DescribeEndpointCommand, type DescribeEndpointCommandOutput, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { S3Files } from '../../../lambda/common/s3.client';
import { datasetPrefix, gatePageKey, gateReportKey } from '../../../lib/artifacts/contract';
import type { RunOverrides } from '../../../lib/pipeline/contract';
import type { ModelVersion } from '../../../lib/registry/contract';
import type { RunRecord } from '../../../lib/tracking/contract';
import type { Platform } from '../../platform';
import { askForRun } from '../../retrain/decision';
import { type Hour, trainingCsv } from '../bike-data';
import { MODEL } from '../deployed';
import { eventually, followRun } from '../runs';

export type Tell = (line: string) => void;

/** Who works with the model in a scenario: brings data, starts runs as `mlops runs start` does, and looks at what became of them. */
export class ModelDesk {
  private readonly sagemaker: SageMakerClient;

  constructor(readonly platform: Platform) {
    this.sagemaker = new SageMakerClient(platform.connection);
  }

  async upload(name: string, hours: readonly Hour[]): Promise<void> {
    const key = `${datasetPrefix(MODEL)}${name}.csv`;
    const files = new S3Files(new S3Client(this.platform.connection));
    await files.putText(`s3://${this.platform.resources.dataBucket}/${key}`, trainingCsv(hours), { contentType: 'text/csv' });
  }

  /** Starts a run; its id. */
  async start(reason: string, overrides?: RunOverrides): Promise<string> {
    // The governor gets its lock back from an event of its own, a moment after a run has ended.
    await eventually('the end of the run before', 30, async () => ((await this.platform.governor.state(MODEL)).lock ? undefined : true));
    const { decision } = await askForRun(this.platform, MODEL, { occurredAt: new Date().toISOString(), reason, overrides, wait: true });
    if (decision?.decision !== 'started' || decision.runId === undefined) {
      throw new Error(`the governor did not start the run: ${decision?.reason ?? 'it has not decided'}`);
    }
    return decision.runId;
  }

  /** Follows a run to its end, however that is; its record. */
  async end(runId: string, tell: Tell): Promise<RunRecord> {
    const failure = await followRun(this.platform, MODEL, runId, tell).then(
      () => undefined,
      (error: unknown) => error,
    );
    const ended = async (): Promise<RunRecord | undefined> => {
      const run = await this.platform.runs.getRun(runId);
      return run.status === 'RUNNING' ? undefined : run;
    };
    return eventually(`the record of the end of run ${runId}`, 30, ended).catch((error: unknown) => {
      throw failure ?? error;
    });
  }

  async run(reason: string, tell: Tell, overrides?: RunOverrides): Promise<RunRecord> {
    return this.end(await this.start(reason, overrides), tell);
  }

  version(version: number): Promise<ModelVersion> {
    return this.platform.registry.getVersion(MODEL, version);
  }

  async versions(): Promise<ModelVersion[]> {
    const { items } = await this.platform.registry.listVersions(MODEL, { limit: 100 });
    return [...items].sort((a, b) => a.version - b.version);
  }

  async champion(): Promise<number | undefined> {
    return (await this.platform.registry.champion(MODEL))?.version;
  }

  endpoint(): Promise<DescribeEndpointCommandOutput> {
    return this.sagemaker.send(new DescribeEndpointCommand({ EndpointName: this.platform.model(MODEL).endpointName }));
  }

  /** The page on which the gate tells what it decided in a run. */
  gatePage(runId: string): string {
    return this.report(gatePageKey(MODEL, runId));
  }

  /** What the gate decided in a run, in its own words. */
  async gate(runId: string): Promise<{ readonly passed: boolean; readonly reason: string }> {
    const text = await new S3Files(new S3Client(this.platform.connection)).readText(this.report(gateReportKey(MODEL, runId)));
    return JSON.parse(text) as { passed: boolean; reason: string };
  }

  private report(key: string): string {
    return `s3://${this.platform.resources.reportsBucket}/${key}`;
  }
}
