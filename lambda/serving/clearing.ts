import type { DescribeEndpointCommandOutput } from '@aws-sdk/client-sagemaker';
import { type ModelVersion, REGISTRY_ERRORS } from '../../lib/registry/contract';
import type { ReleaseRequest, ServingSpec } from '../../lib/serving/contract';
import type { ModelRegistryClient } from '../registry/model-registry.client';
import type { Configurations } from './configurations';
import { rollbackConfig } from './deployment-config';
import { versionIn } from './endpoint-config';
import type { EndpointClient } from './endpoint.client';
import type { Owners } from './owners';
import { busy } from './release-failure';
import type { ReleaseRecord } from './release-record';
import type { RollbackAlarms } from './rollback-alarms.client';
import { turnRound } from './turn-round';

type Endpoint = DescribeEndpointCommandOutput;

/** Versions that their own runs cannot promote any more; undefined is a deleted one. */
const STRANDED: readonly (string | undefined)[] = ['Archived', 'Rejected', undefined];

/**
 * What stands on an endpoint, or is on its way there, that is neither the champion nor the version to be released: the rest of another run. Begins
 * a release where the pointer is.
 */
export class Clearing {
  constructor(
    private readonly spec: ServingSpec,
    private readonly configurations: Configurations,
    private readonly parts: {
      readonly endpoints: EndpointClient;
      readonly alarms: RollbackAlarms;
      readonly registry: Pick<ModelRegistryClient, 'champion' | 'getVersion'>;
      readonly owners: Pick<Owners, 'endOf'>;
      readonly record: ReleaseRecord;
    },
  ) {}

  /** A rollback waits for nobody: what it meets is called off, and a deployment under way is turned round. Answers the endpoint as it is then. */
  async forRollback(request: ReleaseRequest, live: Endpoint): Promise<Endpoint | undefined> {
    for (const version of new Set([this.versionOf(pendingOf(live)), this.versionOf(live.EndpointConfigName)])) {
      if (version === undefined || version === request.version) continue;
      if ((await this.find(version))?.state !== 'Approved') continue;
      await this.parts.record.callOff(request, version, `version ${request.version} was brought back while version ${version} was being released`);
    }
    return turnRound(live, request.endpointConfigName, this.parts);
  }

  /**
   * What another run has proven and is about to promote is waited for, as long as that run is there. Where it has ended, its version is called off
   * and the endpoint goes back to the champion first, so that a release that fails ends there.
   */
  async forRelease(request: ReleaseRequest, live: Endpoint): Promise<Endpoint | undefined> {
    const version = this.versionOf(pendingOf(live) ?? live.EndpointConfigName);
    if (version === undefined || version === request.version) return live;
    const champion = (await this.parts.registry.champion(this.spec.model))?.version;
    if (version === champion) return live;
    const found = await this.find(version);
    if (found?.state === 'Approved') await this.takeOver(request, found, champion);
    else if (!STRANDED.includes(found?.state)) return live;
    return this.home(live, version, champion);
  }

  private async takeOver(request: ReleaseRequest, { version, runId }: ModelVersion, champion?: number): Promise<void> {
    const { model, endpointName } = this.spec;
    const end = await this.parts.owners.endOf({ runId });
    const fix = `reject version ${version}${champion === undefined ? '' : `, or \`mlops rollback ${model} --to ${champion}\``}`;
    if (end === undefined) {
      const runs = `endpoint ${endpointName} runs version ${version}, which its run ${runId ?? ''} has not promoted yet`;
      throw busy(`${runs}; if nothing comes of that: ${fix}`);
    }
    const reason = `${end} when the endpoint had begun to move to version ${version} and before its promotion; another release goes on`;
    if (await this.parts.record.callOff(request, version, reason)) return;
    throw busy(`${reason}; the rules of ${model} ask for somebody who rejects it: ${fix}`);
  }

  private async home(live: Endpoint, version: number, champion?: number): Promise<Endpoint | undefined> {
    const { endpointName } = this.spec;
    const back = champion === undefined ? undefined : await this.configurations.of(champion);
    if (back === undefined) return live;
    if (live.EndpointStatus === 'Updating') return turnRound(live, back, this.parts);
    // A reason is left where going back has been tried and has failed: then the only way is forward.
    if (live.EndpointStatus !== 'InService' || live.FailureReason) return live;
    await this.parts.endpoints.update(endpointName, back, rollbackConfig(this.spec));
    throw busy(`endpoint ${endpointName} ran version ${version}, which no run promotes any more, and goes back to version ${champion} first`);
  }

  private versionOf(configName = ''): number | undefined {
    return versionIn(configName, this.spec.endpointName);
  }

  private async find(version: number): Promise<ModelVersion | undefined> {
    try {
      return await this.parts.registry.getVersion(this.spec.model, version);
    } catch (error) {
      if (error instanceof Error && error.name === REGISTRY_ERRORS.notFound) return undefined;
      throw error;
    }
  }
}

const pendingOf = ({ PendingDeploymentSummary }: Endpoint): string | undefined => PendingDeploymentSummary?.EndpointConfigName;
