import {
  AddTagsCommand,
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  type CreateEndpointConfigCommandInput,
  DeleteEndpointCommand,
  DeleteEndpointConfigCommand,
  DeleteModelCommand,
  type DeploymentConfig,
  DescribeEndpointCommand,
  type DescribeEndpointCommandOutput,
  DescribeEndpointConfigCommand,
  type DescribeEndpointConfigCommandOutput,
  ListTagsCommand,
  paginateListEndpointConfigs,
  paginateListModels,
  SageMakerClient,
  UpdateEndpointCommand,
} from '@aws-sdk/client-sagemaker';
import { ENDPOINT_TAG, REFUSED_TAG } from '../../lib/serving/contract';
import { busy } from './release-failure';

export interface NamedArn {
  readonly name: string;
  readonly arn: string;
}

/** SageMaker answers most conditions with one error name; only its message tells them apart. */
const says = (error: unknown, pattern: RegExp): boolean =>
  error instanceof Error && error.name === 'ValidationException' && pattern.test(error.message);
const isMissing = (error: unknown): boolean => says(error, /could not find|does not exist|not found/i);
const isBusy = (error: unknown): boolean => says(error, /in-progress/i);
const isExisting = (error: unknown): boolean => says(error, /already exist/i);

/** Endpoints, their configurations and models. Making what is there and deleting what is gone are no errors. */
export class EndpointClient {
  constructor(private readonly client: SageMakerClient = new SageMakerClient({})) {}

  /** Makes the configuration, or answers the one that already has its name. */
  async ensureConfig(input: CreateEndpointConfigCommandInput): Promise<DescribeEndpointConfigCommandOutput> {
    try {
      await this.client.send(new CreateEndpointConfigCommand(input));
    } catch (error) {
      if (!isExisting(error)) throw error;
    }
    return this.client.send(new DescribeEndpointConfigCommand({ EndpointConfigName: input.EndpointConfigName }));
  }

  async describe(endpointName: string): Promise<DescribeEndpointCommandOutput | undefined> {
    return orUndefined(() => this.client.send(new DescribeEndpointCommand({ EndpointName: endpointName })));
  }

  async describeConfig(name: string): Promise<DescribeEndpointConfigCommandOutput | undefined> {
    return orUndefined(() => this.client.send(new DescribeEndpointConfigCommand({ EndpointConfigName: name })));
  }

  /** Creates the endpoint; one that is there already is left as it is. */
  async create(endpointName: string, endpointConfigName: string): Promise<void> {
    const Tags = [{ Key: ENDPOINT_TAG, Value: endpointName }];
    try {
      await this.client.send(new CreateEndpointCommand({ EndpointName: endpointName, EndpointConfigName: endpointConfigName, Tags }));
    } catch (error) {
      if (!isExisting(error)) throw error;
    }
  }

  /** Instance endpoints, which are those with a deployment, keep the instance count and weight that scaling has given them. */
  async update(endpointName: string, endpointConfigName: string, deployment: DeploymentConfig | undefined): Promise<void> {
    const input = {
      EndpointName: endpointName,
      EndpointConfigName: endpointConfigName,
      RetainAllVariantProperties: deployment && true,
      DeploymentConfig: deployment,
    };
    try {
      await this.client.send(new UpdateEndpointCommand(input));
    } catch (error) {
      // Somebody was a moment faster: their change has to end first.
      throw isBusy(error) ? busy(`endpoint ${endpointName}: ${(error as Error).message}`) : error;
    }
  }

  /** Keeps with a configuration why it was refused; tags hold 256 characters of a small alphabet. */
  async refuseConfig({ EndpointConfigArn }: DescribeEndpointConfigCommandOutput, reason: string): Promise<void> {
    const Value = reason.replace(/[^\p{L}\p{N}_.:/=+\-@]+/gu, ' ').slice(0, 256);
    await this.client.send(new AddTagsCommand({ ResourceArn: EndpointConfigArn, Tags: [{ Key: REFUSED_TAG, Value }] }));
  }

  /** Why a configuration was refused; undefined where it was not, or is not there. */
  async refusalOf(found: DescribeEndpointConfigCommandOutput | undefined): Promise<string | undefined> {
    if (!found) return undefined;
    const tags = await orUndefined(() => this.client.send(new ListTagsCommand({ ResourceArn: found.EndpointConfigArn })));
    return tags?.Tags?.find(({ Key }) => Key === REFUSED_TAG)?.Value;
  }

  async deleteEndpoint(endpointName: string): Promise<void> {
    await orUndefined(() => this.client.send(new DeleteEndpointCommand({ EndpointName: endpointName })));
  }

  async deleteConfig(name: string): Promise<void> {
    await orUndefined(() => this.client.send(new DeleteEndpointConfigCommand({ EndpointConfigName: name })));
  }

  async deleteModel(name: string): Promise<void> {
    await orUndefined(() => this.client.send(new DeleteModelCommand({ ModelName: name })));
  }

  /** Configurations made for this endpoint, newest first. */
  async configsOf(endpointName: string): Promise<NamedArn[]> {
    const found: NamedArn[] = [];
    const query = { NameContains: `${endpointName}-`, SortBy: 'CreationTime', SortOrder: 'Descending' } as const;
    for await (const page of paginateListEndpointConfigs({ client: this.client }, query)) {
      for (const entry of page.EndpointConfigs ?? []) found.push({ name: entry.EndpointConfigName ?? '', arn: entry.EndpointConfigArn ?? '' });
    }
    return this.belongingTo(endpointName, found);
  }

  /** Models made for this endpoint. */
  async modelsOf(endpointName: string): Promise<NamedArn[]> {
    const found: NamedArn[] = [];
    for await (const page of paginateListModels({ client: this.client }, { NameContains: `${endpointName}-` })) {
      for (const entry of page.Models ?? []) found.push({ name: entry.ModelName ?? '', arn: entry.ModelArn ?? '' });
    }
    return this.belongingTo(endpointName, found);
  }

  /** Names only narrow the search: `a-b` is also the start of what belongs to `a-b-c`. The tag decides. */
  private async belongingTo(endpointName: string, candidates: readonly NamedArn[]): Promise<NamedArn[]> {
    const own: NamedArn[] = [];
    for (const candidate of candidates) {
      if (!candidate.name.startsWith(`${endpointName}-`)) continue;
      const tags = await orUndefined(() => this.client.send(new ListTagsCommand({ ResourceArn: candidate.arn })));
      if (tags?.Tags?.some(({ Key, Value }) => Key === ENDPOINT_TAG && Value === endpointName)) own.push(candidate);
    }
    return own;
  }
}

const orUndefined = async <T>(call: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await call();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
};
