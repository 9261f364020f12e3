import type {
  CreateEndpointCommandInput,
  EndpointStatus,
  UpdateEndpointCommandInput,
  UpdateEndpointWeightsAndCapacitiesCommandInput,
} from '@aws-sdk/client-sagemaker';
import { type Context, announce } from './context';
import { shift } from './deployment';
import type { EndpointConfigRecord, EndpointConfigs } from './endpoint-configs';
import { invalid, messageOf, unsupported } from './errors';
import { Fleet } from './fleet';
import type { Models } from './models';
import { type ListRequest, Records } from './records';

/** InService is IN_SERVICE in events. */
const upperSnake = (status: string) => status.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();

export class Endpoint {
  readonly created = new Date();
  modified = this.created;
  status: EndpointStatus = 'Creating';
  failureReason?: string;
  /** What answers requests; a second fleet takes a share only while a deployment shifts traffic step by step. */
  live?: Fleet;
  pending?: Fleet;
  pendingShare = 0;
  work: Promise<void> = Promise.resolve();
  deployment?: CreateEndpointCommandInput['DeploymentConfig'];

  constructor(
    private readonly context: Context,
    readonly name: string,
    readonly arn: string,
    public config: EndpointConfigRecord,
  ) {}

  enter(status: EndpointStatus, reason?: string): void {
    this.status = status;
    this.failureReason = reason;
    this.modified = new Date();
    const detail = { ...this.describe(), EndpointStatus: upperSnake(status), Tags: this.context.tags.asObject(this.arn) };
    announce(this.context, 'Endpoint', detail, this.arn);
  }

  describe() {
    const capture = this.config.request.DataCaptureConfig;
    return {
      EndpointName: this.name,
      EndpointArn: this.arn,
      EndpointConfigName: this.config.name,
      ProductionVariants: this.live?.summaries(),
      DataCaptureConfig: capture && {
        EnableCapture: capture.EnableCapture ?? true,
        CaptureStatus: (capture.EnableCapture ?? true) && this.status !== 'Failed' ? 'Started' : 'Stopped',
        CurrentSamplingPercentage: capture.InitialSamplingPercentage,
        DestinationS3Uri: capture.DestinationS3Uri,
        KmsKeyId: capture.KmsKeyId,
      },
      EndpointStatus: this.status,
      FailureReason: this.failureReason,
      CreationTime: this.created,
      LastModifiedTime: this.modified,
      LastDeploymentConfig: this.deployment,
      PendingDeploymentSummary: this.pending && {
        EndpointConfigName: this.pending.config.name,
        ProductionVariants: this.pending.summaries().map((variant) => ({
          ...variant,
          VariantStatus: [{ Status: this.pendingShare > 0 ? 'Baking' : 'Creating', StartTime: this.modified }],
        })),
        StartTime: this.modified,
      },
    };
  }

  /** The fleet for one request: atomic, so that a request either goes to the old fleet whole or to the new one. */
  route(target: string | undefined) {
    const fleet = this.pending && this.pendingShare > 0 && Math.random() < this.pendingShare ? this.pending : this.live;
    return fleet?.route(target);
  }
}

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

  create(request: CreateEndpointCommandInput) {
    const name = request.EndpointName!;
    const arn = this.endpoints.arnOf(name);
    if (this.endpoints.has(name)) throw invalid(`Cannot create already existing endpoint "${arn}".`);
    const config = this.configs.get(request.EndpointConfigName!);
    const fleet = this.fleet(config, name);
    const endpoint = new Endpoint(this.context, name, arn, config);
    endpoint.deployment = request.DeploymentConfig;
    this.context.tags.set(arn, request.Tags);
    this.endpoints.add(endpoint);
    endpoint.enter('Creating');
    endpoint.work = this.bringUp(endpoint, fleet);
    return { EndpointArn: arn };
  }

  update(request: UpdateEndpointCommandInput) {
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
    if (deployment?.RollingUpdatePolicy) throw unsupported('rolling updates: use a blue/green policy');
    const fleet = this.fleet(config, endpoint.name);
    if (request.RetainAllVariantProperties) retain(endpoint.live!, fleet, request);
    endpoint.deployment = deployment;
    endpoint.pending = fleet;
    endpoint.enter('Updating');
    endpoint.work = this.replace(endpoint, fleet, deployment);
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

  private async bringUp(endpoint: Endpoint, fleet: Fleet): Promise<void> {
    try {
      await fleet.start();
      endpoint.live = fleet;
      endpoint.enter('InService');
    } catch (error) {
      endpoint.enter('Failed', messageOf(error));
      await this.discard(fleet, false);
    }
  }

  /** Blue/green: the new fleet answers its pings before any request reaches it; where it does not, nothing ever changed. */
  private async replace(endpoint: Endpoint, fleet: Fleet, deployment: UpdateEndpointCommandInput['DeploymentConfig']): Promise<void> {
    const old = endpoint.live!;
    try {
      await fleet.start();
      await shift(this.context, endpoint, deployment);
      endpoint.live = fleet;
      endpoint.config = fleet.config;
      endpoint.pending = undefined;
      endpoint.pendingShare = 0;
      endpoint.enter('InService');
      await this.discard(old, true);
    } catch (error) {
      endpoint.pendingShare = 0;
      endpoint.pending = undefined;
      endpoint.enter('InService', messageOf(error));
      await this.discard(fleet, true);
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
