import {
  AddTagsCommand,
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  type CreateEndpointConfigCommandInput,
  DeleteEndpointCommand,
  DeleteEndpointConfigCommand,
  DeleteModelCommand,
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  ListEndpointConfigsCommand,
  ListModelsCommand,
  ListTagsCommand,
  SageMakerClient,
  type Tag,
  UpdateEndpointCommand,
  type UpdateEndpointCommandInput,
} from '@aws-sdk/client-sagemaker';

interface Endpoint {
  config: string;
  status: string;
  reason?: string;
  pending?: string;
}

const validation = (message: string): Error => Object.assign(new Error(message), { name: 'ValidationException', $metadata: {} });

/** The endpoints part of SageMaker behind the SDK's edge, with the service's own words where it refuses. */
export class MemorySageMaker {
  readonly endpoints = new Map<string, Endpoint>();
  readonly configs = new Map<string, CreateEndpointConfigCommandInput>();
  /** Name to the endpoint in its tag. */
  readonly models = new Map<string, string>();
  readonly calls: string[] = [];
  readonly updates: UpdateEndpointCommandInput[] = [];

  client(): SageMakerClient {
    const client = new SageMakerClient({ region: 'eu-west-1', credentials: { accessKeyId: 'x', secretAccessKey: 'x' } });
    client.send = ((command: { input: Record<string, never> }) => this.answer(command)) as never;
    return client;
  }

  private async answer(command: { input: Record<string, never> }): Promise<unknown> {
    const { input } = command;
    const name: string = input.EndpointName;
    const config: string = input.EndpointConfigName;
    this.calls.push(command.constructor.name.replace(/Command$/, ''));
    if (command instanceof CreateEndpointConfigCommand) {
      if (this.configs.has(config)) throw validation(`Cannot create already existing endpoint configuration "${config}".`);
      return this.configs.set(config, command.input);
    }
    if (command instanceof DescribeEndpointConfigCommand) {
      const found = this.configs.get(config);
      if (!found) throw validation(`Could not find endpoint configuration "${config}".`);
      return { ...found, EndpointConfigArn: `config/${config}` };
    }
    if (command instanceof AddTagsCommand) return this.tag(command.input.ResourceArn!, command.input.Tags!);
    if (command instanceof DeleteEndpointConfigCommand) return this.configs.delete(config);
    if (command instanceof DeleteModelCommand) return this.models.delete(input.ModelName);
    if (command instanceof ListEndpointConfigsCommand) {
      const names = [...this.configs.keys()].filter((found) => found.includes(input.NameContains)).reverse();
      return { EndpointConfigs: names.map((found) => ({ EndpointConfigName: found, EndpointConfigArn: `config/${found}` })) };
    }
    if (command instanceof ListModelsCommand) {
      return {
        Models: [...this.models.keys()]
          .filter((found) => found.includes(input.NameContains))
          .map((found) => ({ ModelName: found, ModelArn: `model/${found}` })),
      };
    }
    if (command instanceof ListTagsCommand) return { Tags: this.tagsOf(command.input.ResourceArn!) };
    return this.onEndpoint(command, name, config);
  }

  private onEndpoint(command: object, name: string, config: string): unknown {
    const endpoint = this.endpoints.get(name);
    if (command instanceof CreateEndpointCommand) {
      if (endpoint) throw validation(`Cannot create already existing endpoint "${name}".`);
      return this.endpoints.set(name, { config, status: 'Creating' });
    }
    if (!endpoint) throw validation(`Could not find endpoint "${name}".`);
    if (command instanceof DescribeEndpointCommand) {
      const { status, reason, pending } = endpoint;
      return {
        EndpointName: name,
        EndpointConfigName: endpoint.config,
        EndpointStatus: status,
        FailureReason: reason,
        ...(pending && { PendingDeploymentSummary: { EndpointConfigName: pending } }),
      };
    }
    if (command instanceof UpdateEndpointCommand) {
      if (endpoint.status !== 'InService') throw validation(`Cannot update in-progress endpoint "${name}".`);
      if (!this.configs.has(config)) throw validation(`Could not find endpoint configuration "${config}".`);
      this.updates.push(command.input);
      return Object.assign(endpoint, { status: 'Updating', pending: config, reason: undefined });
    }
    if (command instanceof DeleteEndpointCommand) return Object.assign(endpoint, { status: 'Deleting' });
    throw new Error(`not stubbed: ${command.constructor.name}`);
  }

  /** The update has happened. */
  settle(name: string): void {
    const endpoint = this.endpoints.get(name)!;
    this.endpoints.set(name, { config: endpoint.pending ?? endpoint.config, status: 'InService' });
  }

  /** The update was taken back. */
  takeBack(name: string, reason: string): void {
    this.endpoints.set(name, { config: this.endpoints.get(name)!.config, status: 'InService', reason });
  }

  private tag(arn: string, tags: Tag[]): object {
    const config = this.configs.get(arn.split('/')[1])!;
    const kept = (config.Tags ?? []).filter(({ Key }) => !tags.some((tag) => tag.Key === Key));
    return this.configs.set(config.EndpointConfigName!, { ...config, Tags: [...kept, ...tags] });
  }

  private tagsOf(arn: string): { Key: string; Value: string }[] {
    const [kind, name] = arn.split('/');
    if (kind === 'config') return (this.configs.get(name)?.Tags ?? []) as { Key: string; Value: string }[];
    const owner = this.models.get(name);
    return owner === undefined ? [] : [{ Key: 'cdk-mlops:endpoint', Value: owner }];
  }
}
