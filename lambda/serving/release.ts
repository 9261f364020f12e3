import type { DescribeEndpointCommandOutput } from '@aws-sdk/client-sagemaker';
import { PIPELINE_ERRORS } from '../../lib/pipeline/contract';
import { REGISTRY_ERRORS } from '../../lib/registry/contract';
import type { ReleaseRequest, ReleaseStatus, ServingSpec } from '../../lib/serving/contract';
import { NamedError } from '../common/errors';
import type { ModelRegistryClient } from '../registry/model-registry.client';
import { differenceOf, endpointConfigInput } from './endpoint-config';
import type { EndpointClient } from './endpoint.client';

/** The endpoint is doing something that ends by itself. */
const BUSY: readonly (string | undefined)[] = ['Creating', 'Updating', 'SystemUpdating', 'RollingBack', 'Deleting'];

/** Retried by the state machine: somebody else's change of the endpoint, or its deletion, has to end first. */
const busy = (message: string): NamedError => new NamedError('ServiceUnavailable', message);
const failed = (message: string): NamedError => new NamedError(PIPELINE_ERRORS.releaseFailed, message);

/** Moves the live endpoint to a configuration and says when it is there. Both actions may be repeated. */
export class Release {
  constructor(
    private readonly spec: ServingSpec,
    private readonly endpoints: EndpointClient,
    private readonly registry: Pick<ModelRegistryClient, 'champion'>,
  ) {}

  async handle(request: ReleaseRequest): Promise<ReleaseStatus> {
    if (request.action === 'start') return this.start(request);
    // What the last check watched has failed for good, otherwise nobody would have redriven the execution.
    if (request.startedAtRedrive !== request.redriveCount) return this.start(request);
    return this.check(request);
  }

  private async start(request: ReleaseRequest): Promise<ReleaseStatus> {
    const { endpointName } = this.spec;
    const wanted = request.endpointConfigName;
    await this.requireChampion(request);
    await this.ensureConfig(request);
    const live = await this.endpoints.describe(endpointName);
    const previous = live?.EndpointConfigName === wanted ? request.previousEndpointConfigName : live?.EndpointConfigName;
    if (!live) {
      await this.endpoints.create(endpointName, wanted);
    } else if (live.EndpointStatus === 'Failed') {
      // A failed endpoint serves nobody and can only be deleted; the retry of this state creates it.
      await this.endpoints.deleteEndpoint(endpointName);
      throw busy(`endpoint ${endpointName} had failed (${live.FailureReason ?? 'no reason given'}) and is being deleted before it is created anew`);
    } else if (BUSY.includes(live.EndpointStatus)) {
      if (live.EndpointStatus === 'Deleting' || !this.isOnItsWay(live, wanted)) {
        throw busy(`endpoint ${endpointName} is ${live.EndpointStatus}, another change of it has to end first`);
      }
    } else if (live.EndpointConfigName !== wanted || live.EndpointStatus !== 'InService') {
      await this.endpoints.update(endpointName, wanted, this.spec.kind === 'REAL_TIME');
    }
    return {
      done: false,
      championMoved: false,
      endpointStatus: live ? 'Updating' : 'Creating',
      endpointName,
      endpointConfigName: wanted,
      startedAtRedrive: request.redriveCount,
      previousEndpointConfigName: previous ?? '',
    };
  }

  private async check(request: ReleaseRequest): Promise<ReleaseStatus> {
    const { endpointName } = this.spec;
    const wanted = request.endpointConfigName;
    const live = await this.endpoints.describe(endpointName);
    if (!live) throw failed(`endpoint ${endpointName} is gone: somebody deleted it during the release`);
    const status: ReleaseStatus = {
      done: false,
      championMoved: false,
      endpointStatus: live.EndpointStatus ?? 'Unknown',
      endpointName,
      endpointConfigName: wanted,
      startedAtRedrive: request.redriveCount,
      previousEndpointConfigName: request.previousEndpointConfigName ?? '',
    };
    if (BUSY.includes(live.EndpointStatus)) return status;
    const reason = live.FailureReason ? `: ${live.FailureReason}` : '';
    if (live.EndpointStatus !== 'InService') throw failed(`endpoint ${endpointName} ended as ${live.EndpointStatus}${reason}`);
    if (live.EndpointConfigName !== wanted) {
      throw failed(`endpoint ${endpointName} was rolled back to ${live.EndpointConfigName} instead of running ${wanted}${reason}`);
    }
    await this.verify(request);
    await this.removeOldConfigs(wanted, status.previousEndpointConfigName);
    return { ...status, done: true };
  }

  /** Two runs can meet here, e.g. one that was redriven. The promotion would refuse the second one, but only after the endpoint had moved. */
  private async requireChampion({ version, expectedChampion }: ReleaseRequest): Promise<void> {
    const serving = (await this.registry.champion(this.spec.model))?.version ?? null;
    if (serving === expectedChampion || serving === version) return;
    const judged = expectedChampion === null ? 'no champion' : `version ${expectedChampion}`;
    const message = `version ${version} was judged against ${judged}, but version ${serving} serves now: the endpoint was left as it is`;
    throw new NamedError(REGISTRY_ERRORS.conflict, message);
  }

  private async ensureConfig(request: ReleaseRequest): Promise<void> {
    const input = endpointConfigInput(this.spec, request);
    const difference = differenceOf(input, await this.endpoints.ensureConfig(input));
    if (difference) throw failed(`endpoint configuration ${request.endpointConfigName} exists, but its ${difference}`);
  }

  /** The name alone proves nothing: what runs under it has to be the wanted model in the wanted size. */
  private async verify(request: ReleaseRequest): Promise<void> {
    const found = await this.endpoints.describeConfig(request.endpointConfigName);
    const difference = found ? differenceOf(endpointConfigInput(this.spec, request), found) : 'description is gone';
    if (difference) throw failed(`endpoint ${this.spec.endpointName} runs ${request.endpointConfigName}, but its ${difference}`);
  }

  /** One configuration beside the live one stays for a rollback: the previous one, or the newest where that is not known. */
  private async removeOldConfigs(wanted: string, previous: string): Promise<void> {
    const others = (await this.endpoints.configsOf(this.spec.endpointName)).map(({ name }) => name).filter((name) => name !== wanted);
    const kept = others.includes(previous) ? previous : others[0];
    for (const name of others) {
      if (name !== kept) await this.endpoints.deleteConfig(name);
    }
  }

  private isOnItsWay(live: DescribeEndpointCommandOutput, wanted: string): boolean {
    const pending = live.PendingDeploymentSummary?.EndpointConfigName;
    return pending ? pending === wanted : live.EndpointConfigName === wanted;
  }
}
