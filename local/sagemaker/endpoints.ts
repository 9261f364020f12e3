import type {
  CreateEndpointCommandInput,
  UpdateEndpointCommandInput,
  UpdateEndpointWeightsAndCapacitiesCommandInput,
} from '@aws-sdk/client-sagemaker';
import type { Context } from './context';
import { Deployment, alarmNamesOf, checkAlarms } from './deployment';
import { checkDeployment, planOf } from './deployment-policy';
import { Endpoint } from './endpoint';
import type { EndpointConfigRecord, EndpointConfigs } from './endpoint-configs';
import { invalid, messageOf } from './errors';
import { Fleet } from './fleet';
import { type JobFault, strike } from './job-faults';
import type { Models } from './models';
import { type ListRequest, Records } from './records';

const INJECTED = 'A fault rule of the local engine made the deployment fail.';

export class Endpoints {
  private readonly endpoints: Records<Endpoint>;

  constructor(
    private readonly context: Context,
    private readonly configs: EndpointConfigs,
    private readonly models: Models,
  ) {
    const { region, accountId } = context.options;
    const unknown = (_: string, arn: string) => invalid(`Could not find endpoint "${arn}".`);
    this.endpoints = new Records({ kind: 'endpoint', unknown, descendingByDefault: true, caseInsensitive: true }, region, accountId);
  }

  find(name: string): Endpoint | undefined {
    return this.endpoints.find(name);
  }

  create(request: CreateEndpointCommandInput, fault?: JobFault) {
    const name = request.EndpointName!;
    const arn = this.endpoints.arnOf(name);
    if (this.endpoints.has(name)) throw invalid(`Cannot create already existing endpoint "${arn}".`);
    const config = this.configs.get(request.EndpointConfigName!);
    checkDeployment(request.DeploymentConfig, config);
    const fleet = this.fleet(config, name);
    const endpoint = new Endpoint(this.context, name, arn, config);
    endpoint.deployment = request.DeploymentConfig;
    this.context.tags.set(arn, request.Tags);
    this.endpoints.add(endpoint);
    endpoint.enter('Creating');
    endpoint.work = this.bringUp(endpoint, fleet, fault);
    return { EndpointArn: arn };
  }

  async update(request: UpdateEndpointCommandInput, fault?: JobFault) {
    const endpoint = this.endpoints.get(request.EndpointName!);
    refuseBusy(endpoint);
    const config = this.configs.get(request.EndpointConfigName!);
    if (config.serverless && !endpoint.config.serverless) {
      throw invalid(`Cannot update endpoint "${endpoint.arn}" from a real-time to a serverless endpoint configuration.`);
    }
    if (request.ExcludeRetainedVariantProperties && !request.RetainAllVariantProperties) {
      throw invalid('ExcludeRetainedVariantProperties can only be specified when RetainAllVariantProperties is true');
    }
    const deployment = request.RetainDeploymentConfig ? endpoint.deployment : request.DeploymentConfig;
    checkDeployment(deployment, config, endpoint.config);
    await checkAlarms(this.context, alarmNamesOf(deployment), this.models.get(config.variants[0].ModelName!).roleArn);
    // Another update may have begun meanwhile.
    refuseBusy(endpoint);
    const fleet = this.fleet(config, endpoint.name);
    if (request.RetainAllVariantProperties) retain(endpoint.live!, fleet, request);
    endpoint.deployment = deployment;
    const plan = planOf(deployment, config);
    endpoint.begin(fleet, plan.rolling);
    endpoint.underWay = new Deployment(this.context, endpoint, plan, alarmNamesOf(deployment));
    endpoint.enter('Updating');
    endpoint.work = this.replace(endpoint, fleet, endpoint.underWay, fault);
    return { EndpointArn: endpoint.arn };
  }

  updateWeights(request: UpdateEndpointWeightsAndCapacitiesCommandInput) {
    const endpoint = this.endpoints.get(request.EndpointName!);
    refuseBusy(endpoint);
    const changes = request.DesiredWeightsAndCapacities!.map((change) => {
      const variant = endpoint.live!.variants.find(({ name }) => name === change.VariantName);
      if (!variant) throw invalid(`Could not find variant ${change.VariantName} on endpoint "${endpoint.arn}".`);
      if (variant.maxConcurrency !== undefined && change.DesiredInstanceCount !== undefined) {
        throw invalid(`DesiredInstanceCount is not supported for serverless variant ${change.VariantName}`);
      }
      return { variant, change };
    });
    endpoint.enter('Updating');
    for (const { variant, change } of changes) {
      variant.weight = change.DesiredWeight ?? variant.weight;
      variant.count = change.DesiredInstanceCount ?? variant.count;
    }
    endpoint.work = Promise.resolve().then(() => endpoint.enter('InService'));
    return { EndpointArn: endpoint.arn };
  }

  describe({ EndpointName }: { EndpointName: string }) {
    return this.endpoints.get(EndpointName).describe();
  }

  list(request: ListRequest) {
    const { items, NextToken } = this.endpoints.page(request);
    return {
      Endpoints: items.map(({ name, arn, created, modified, status }) => ({
        EndpointName: name,
        EndpointArn: arn,
        CreationTime: created,
        LastModifiedTime: modified,
        EndpointStatus: status,
      })),
      NextToken,
    };
  }

  delete({ EndpointName }: { EndpointName: string }) {
    const endpoint = this.endpoints.get(EndpointName);
    if (endpoint.status !== 'Failed') refuseBusy(endpoint);
    endpoint.enter('Deleting');
    endpoint.work = this.end(endpoint);
    return {};
  }

  async settled(): Promise<void> {
    await Promise.all(this.endpoints.values().map((endpoint) => endpoint.work));
    await Promise.all(this.endpoints.values().map((endpoint) => endpoint.live?.end(false)));
  }

  private fleet(config: EndpointConfigRecord, endpointName: string): Fleet {
    return new Fleet(this.context, config, endpointName, (name) => this.models.get(name));
  }

  private async bringUp(endpoint: Endpoint, fleet: Fleet, fault: JobFault | undefined): Promise<void> {
    let withdraw = () => undefined as void;
    const failed = new Promise<never>((_, reject) => {
      withdraw = strike(fault, {
        fail: () => reject(new Error(INJECTED)),
        timeout: () => reject(new Error('The containers did not pass the ping health check in time (a fault rule of the local engine).')),
        kill: () => fleet.kill(),
      });
    });
    try {
      await Promise.race([fleet.start(), failed]);
      endpoint.live = fleet;
      endpoint.enter('InService');
    } catch (error) {
      endpoint.enter('Failed', messageOf(error));
      await this.discard(fleet, false);
    } finally {
      withdraw();
    }
  }

  /** The new fleet answers its pings before any request reaches it; until the old one is let go, all of it can be taken back at once. */
  private async replace(endpoint: Endpoint, fleet: Fleet, deployment: Deployment, fault: JobFault | undefined): Promise<void> {
    const old = endpoint.live!;
    const withdraw = strike(fault, { fail: () => deployment.fail(INJECTED), timeout: () => deployment.timeOut(), kill: () => fleet.kill() });
    try {
      await deployment.run(() => fleet.start());
      endpoint.live = fleet;
      endpoint.config = fleet.config;
      endpoint.settle();
      endpoint.enter('InService');
      await this.discard(old, true);
    } catch (error) {
      endpoint.pendingShare = 0;
      endpoint.enter('RollingBack', messageOf(error));
      await this.discard(fleet, true);
      endpoint.settle();
      endpoint.enter('InService', messageOf(error));
    } finally {
      withdraw();
    }
  }

  private async end(endpoint: Endpoint): Promise<void> {
    const fleet = endpoint.live;
    endpoint.live = undefined;
    if (fleet) await this.discard(fleet, true);
    this.endpoints.remove(endpoint.name);
    this.context.tags.forget(endpoint.arn);
  }

  private async discard(fleet: Fleet, drain: boolean): Promise<void> {
    await fleet.end(drain).catch((error) => this.context.log(`a fleet did not end cleanly: ${messageOf(error)}`));
  }
}

function refuseBusy(endpoint: Endpoint): void {
  if (endpoint.status === 'InService') return;
  if (endpoint.status === 'Failed') throw invalid(`Cannot update failed endpoint "${endpoint.arn}".`);
  throw invalid(`Cannot update in-progress endpoint "${endpoint.arn}".`);
}

function retain(old: Fleet, next: Fleet, request: UpdateEndpointCommandInput): void {
  const excluded = new Set(request.ExcludeRetainedVariantProperties?.map(({ VariantPropertyType }) => VariantPropertyType));
  for (const variant of next.variants) {
    const before = old.variants.find(({ name }) => name === variant.name);
    if (!before) continue;
    if (!excluded.has('DesiredWeight')) variant.weight = before.weight;
    if (!excluded.has('DesiredInstanceCount') && variant.maxConcurrency === undefined) variant.count = before.count ?? variant.count;
  }
}
