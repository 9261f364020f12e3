import type { CreateEndpointConfigCommandInput, ProductionVariant } from '@aws-sdk/client-sagemaker';
import type { Context } from './context';
import { invalid, unsupported } from './errors';
import type { Models } from './models';
import { type ListRequest, type Listed, Records, withoutTags } from './records';

export interface EndpointConfigRecord extends Listed {
  readonly request: CreateEndpointConfigCommandInput;
  readonly variants: readonly ProductionVariant[];
  readonly serverless: boolean;
}

const MEMORY_SIZES = [1024, 2048, 3072, 4096, 5120, 6144];

export class EndpointConfigs {
  private readonly configs: Records<EndpointConfigRecord>;

  constructor(
    private readonly context: Context,
    private readonly models: Models,
  ) {
    const { region, accountId } = context.options;
    const unknown = (_: string, arn: string) => invalid(`Could not find endpoint configuration "${arn}".`);
    this.configs = new Records({ kind: 'endpoint-config', unknown, descendingByDefault: true }, region, accountId);
  }

  get(name: string): EndpointConfigRecord {
    return this.configs.get(name);
  }

  create(request: CreateEndpointConfigCommandInput) {
    const name = request.EndpointConfigName!;
    const arn = this.configs.arnOf(name);
    if (this.configs.has(name)) throw invalid(`Cannot create already existing endpoint configuration "${arn}".`);
    const serverless = checkConfig(request);
    for (const variant of request.ProductionVariants!) this.models.get(variant.ModelName!);
    const variants = request.ProductionVariants!.map((variant) => ({ InitialVariantWeight: 1, ...variant }));
    const now = new Date();
    this.context.tags.set(arn, request.Tags);
    this.configs.add({ name, arn, created: now, modified: now, request, variants, serverless });
    return { EndpointConfigArn: arn };
  }

  describe({ EndpointConfigName }: { EndpointConfigName: string }) {
    const { arn, created, request, variants } = this.configs.get(EndpointConfigName);
    return {
      ...withoutTags(request),
      EndpointConfigArn: arn,
      ProductionVariants: variants,
      EnableNetworkIsolation: request.EnableNetworkIsolation ?? false,
      CreationTime: created,
    };
  }

  list(request: ListRequest) {
    const { items, NextToken } = this.configs.page(request);
    const EndpointConfigs = items.map(({ name, arn, created }) => ({ EndpointConfigName: name, EndpointConfigArn: arn, CreationTime: created }));
    return { EndpointConfigs, NextToken };
  }

  delete({ EndpointConfigName }: { EndpointConfigName: string }) {
    const { arn } = this.configs.get(EndpointConfigName);
    this.configs.remove(EndpointConfigName);
    this.context.tags.forget(arn);
    return {};
  }
}

/** Says whether the configuration is serverless; refuses what AWS refuses and what this engine does not play. */
function checkConfig(request: CreateEndpointConfigCommandInput): boolean {
  const variants = request.ProductionVariants!;
  if (request.AsyncInferenceConfig) throw unsupported('asynchronous inference');
  if (request.ExplainerConfig) throw unsupported('ExplainerConfig');
  if (request.ShadowProductionVariants) throw unsupported('shadow variants');
  const names = variants.map(({ VariantName }) => VariantName);
  if (new Set(names).size !== names.length) throw invalid('Production variant names must be unique within an endpoint configuration');
  const serverless = variants.filter(({ ServerlessConfig }) => ServerlessConfig);
  for (const variant of variants) checkVariant(variant);
  if (serverless.length > 0) checkServerless(request);
  return serverless.length > 0;
}

function checkVariant(variant: ProductionVariant): void {
  const name = variant.VariantName;
  if (!variant.ModelName) throw unsupported(`a variant without ModelName (inference components; variant ${name})`);
  if (variant.InstancePools) throw unsupported(`InstancePools (variant ${name})`);
  if (variant.ServerlessConfig) {
    if (variant.InstanceType || variant.InitialInstanceCount !== undefined) {
      throw invalid(`ServerlessConfig and InstanceType or InitialInstanceCount cannot both be specified for production variant ${name}`);
    }
    const { MemorySizeInMB: memory, MaxConcurrency: concurrency, ProvisionedConcurrency: provisioned } = variant.ServerlessConfig;
    if (!MEMORY_SIZES.includes(memory!)) throw invalid(`Invalid MemorySizeInMB ${memory}: valid values are ${MEMORY_SIZES.join(', ')}`);
    if (provisioned !== undefined && provisioned > concurrency!) {
      throw invalid('ProvisionedConcurrency should be less than or equal to MaxConcurrency');
    }
    return;
  }
  if (!variant.InstanceType) throw invalid(`InstanceType must be specified for production variant ${name}`);
  if (variant.InitialInstanceCount === undefined) throw invalid(`InitialInstanceCount must be specified for production variant ${name}`);
}

function checkServerless(request: CreateEndpointConfigCommandInput): void {
  if (request.ProductionVariants!.length > 1) throw invalid('Serverless endpoint configuration supports only one production variant');
  if (request.DataCaptureConfig) throw invalid('DataCaptureConfig is not supported for serverless endpoint configurations');
  if (request.VpcConfig) throw invalid('VpcConfig is not supported for serverless endpoint configurations');
  if (request.EnableNetworkIsolation) throw invalid('EnableNetworkIsolation is not supported for serverless endpoint configurations');
  if (request.KmsKeyId) throw invalid('KmsKeyId is not supported for serverless endpoint configurations');
}
