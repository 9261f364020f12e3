import type { DescribeEndpointCommandOutput, DescribeEndpointConfigCommandOutput } from '@aws-sdk/client-sagemaker';
import type { ReleaseRequest, ServingSpec } from '../../lib/serving/contract';
import { differenceOf, endpointConfigInput, servesModel, versionIn } from './endpoint-config';
import type { EndpointClient } from './endpoint.client';
import { failed } from './release-failure';
import type { RollbackAlarms } from './rollback-alarms.client';

/** Configurations of one endpoint, each with its alarms. */
export class Configurations {
  constructor(
    private readonly spec: ServingSpec,
    private readonly parts: { readonly endpoints: EndpointClient; readonly alarms: RollbackAlarms },
  ) {}

  /** Makes the wanted configuration where it is not there as it should be. What the endpoint uses is never touched. */
  async ensure(request: ReleaseRequest, live: DescribeEndpointCommandOutput | undefined): Promise<void> {
    const { endpoints } = this.parts;
    const name = request.endpointConfigName;
    const known = await endpoints.describeConfig(name);
    if (known && !inUse(live, name) && (await this.isStale(request, known))) await endpoints.deleteConfig(name);
    const input = endpointConfigInput(this.spec, request);
    const difference = differenceOf(input, await endpoints.ensureConfig(input), request.rollback);
    if (difference) throw failed(name, name, `endpoint configuration ${name} exists, but its ${difference}`);
  }

  /** The name alone proves nothing: what runs under it has to be the wanted model in the wanted size. */
  async verify(request: ReleaseRequest): Promise<void> {
    const name = request.endpointConfigName;
    const found = await this.parts.endpoints.describeConfig(name);
    // What already ran when it was rolled back to keeps its own model of the version.
    const difference = found ? differenceOf(endpointConfigInput(this.spec, request), found, request.rollback) : 'description is gone';
    if (difference) throw failed(name, name, `endpoint ${this.spec.endpointName} runs ${name}, but its ${difference}`);
  }

  /** Why a configuration did not prove itself; undefined where it did, or was never tried. */
  async refusalOf(name: string): Promise<string | undefined> {
    return this.parts.endpoints.refusalOf(await this.parts.endpoints.describeConfig(name));
  }

  async refuse(name: string, reason: string): Promise<void> {
    const found = await this.parts.endpoints.describeConfig(name);
    if (found) await this.parts.endpoints.refuseConfig(found, reason);
  }

  /** Newest configuration that serves a version; undefined where there is none. */
  async of(version: number): Promise<string | undefined> {
    const { endpointName } = this.spec;
    return (await this.parts.endpoints.configsOf(endpointName)).find(({ name }) => versionIn(name, endpointName) === version)?.name;
  }

  /** What shall serve instead of the wanted configuration: the champion's, else what served before it, else the newest other one. */
  async before(wanted: string, previous: string, champion?: number): Promise<string | undefined> {
    const others = await this.others(wanted);
    const { endpointName } = this.spec;
    const named = champion === undefined ? undefined : others.find((name) => versionIn(name, endpointName) === champion);
    return named ?? (others.includes(previous) ? previous : others[0]);
  }

  /**
   * The switch is proven: alarms of the live configuration watch on where the spec says so, those of others would only tell of what nobody asks any
   * more. One configuration beside the live one stays for a rollback.
   */
  async settle(wanted: string, previous: string): Promise<void> {
    const { endpoints, alarms } = this.parts;
    if (this.spec.deployment.watchSeconds > 0) await alarms.ensure(this.spec, wanted, 'watch');
    else await alarms.remove(wanted);
    const kept = await this.before(wanted, previous);
    for (const name of await this.others(wanted)) {
      await alarms.remove(name);
      if (name !== kept) await endpoints.deleteConfig(name);
    }
  }

  private async others(wanted: string): Promise<string[]> {
    return (await this.parts.endpoints.configsOf(this.spec.endpointName)).map(({ name }) => name).filter((name) => name !== wanted);
  }

  /** A configuration that was refused is tried anew; one that a rollback finds may name a model that is gone, or was made for a role that is. */
  private async isStale({ rollback, sagemakerModelName }: ReleaseRequest, known: DescribeEndpointConfigCommandOutput): Promise<boolean> {
    if (rollback) return !servesModel(known, sagemakerModelName);
    return (await this.parts.endpoints.refusalOf(known)) !== undefined;
  }
}

const inUse = (live: DescribeEndpointCommandOutput | undefined, name: string): boolean =>
  live?.EndpointConfigName === name || live?.PendingDeploymentSummary?.EndpointConfigName === name;
