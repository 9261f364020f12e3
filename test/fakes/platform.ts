import { LambdaClient, type InvokeCommand } from '@aws-sdk/client-lambda';
import { type GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { STSClient } from '@aws-sdk/client-sts';
import type { ModelResources, PlatformResources } from '../../lib/platform/contract';
import { modelParameter, platformParameter } from '../../lib/platform/contract';
import { MemoryDynamo } from './memory-dynamo';
import { MemoryBucket } from './memory-s3';
import { MemoryEvents, MemoryExecutions } from './sdk';

export const CALLER = 'arn:aws:sts::111122223333:assumed-role/DataScience/ana';

export const PLATFORM: PlatformResources = {
  platform: 'mlops',
  artifactsBucket: 'artifacts',
  dataBucket: 'data',
  predictionsBucket: 'predictions',
  reportsBucket: 'reports',
  registryTable: 'registry',
  historyTable: 'history',
  runsTable: 'runs',
  governorTable: 'governor',
  busName: 'bus',
};

export const modelResources = (model: string, changes: Partial<ModelResources> = {}): ModelResources => ({
  model,
  endpointName: `mlops-${model.toLowerCase()}`,
  servingKind: 'SERVERLESS',
  recorderFunction: `record-${model}`,
  monitorStateMachineArn: `arn:aws:states:eu-west-1:111122223333:stateMachine:monitor-${model}`,
  stateMachineArn: `arn:aws:states:eu-west-1:111122223333:stateMachine:${model}`,
  ...changes,
});

/** A function of Lambda: takes the payload, answers or throws as a handler does. */
export type MemoryFunction = (payload: Record<string, unknown>) => unknown;

/** A deployed platform behind the SDK's edge: its parameters, tables, buckets, bus, executions and functions. */
export class MemoryPlatform {
  readonly parameters = new Map<string, string>();
  readonly dynamo = new MemoryDynamo();
  readonly bucket = new MemoryBucket();
  readonly bus = new MemoryEvents();
  readonly machines = new MemoryExecutions();
  readonly functions = new Map<string, MemoryFunction>();

  /** Every client of the test file talks to this platform. */
  install(): this {
    // Requests are signed, though nobody looks at the signatures.
    process.env.AWS_ACCESS_KEY_ID ??= 'test';
    process.env.AWS_SECRET_ACCESS_KEY ??= 'test';
    this.dynamo.install();
    this.bucket.install();
    this.bus.install();
    this.machines.install();
    const parameters = async (command: GetParametersByPathCommand): Promise<object> => this.parametersBelow(command);
    jest.spyOn(SSMClient.prototype, 'send').mockImplementation(parameters as never);
    jest.spyOn(STSClient.prototype, 'send').mockImplementation((async () => ({ Arn: CALLER })) as never);
    jest.spyOn(LambdaClient.prototype, 'send').mockImplementation(((command: InvokeCommand) => this.invoke(command)) as never);
    return this;
  }

  add(platform: PlatformResources, models: readonly ModelResources[] = []): this {
    this.parameters.set(platformParameter(platform.platform), JSON.stringify(platform));
    for (const model of models) this.parameters.set(modelParameter(platform.platform, model.model), JSON.stringify(model));
    return this;
  }

  /** One parameter a page, as SSM may answer however few there are. */
  private parametersBelow({ input: { Path, NextToken = '0' } }: GetParametersByPathCommand): object {
    const names = [...this.parameters.keys()].filter((name) => name.startsWith(`${Path}/`)).sort();
    const at = Number(NextToken);
    const page = names.slice(at, at + 1);
    return {
      Parameters: page.map((Name) => ({ Name, Value: this.parameters.get(Name) })),
      NextToken: at + 1 < names.length ? String(at + 1) : undefined,
    };
  }

  private async invoke({ input: { FunctionName = '', Payload } }: InvokeCommand): Promise<object> {
    const found = this.functions.get(FunctionName);
    if (!found) throw Object.assign(new Error(`Function not found: ${FunctionName}`), { name: 'ResourceNotFoundException' });
    const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
    try {
      return { Payload: bytes(await found(JSON.parse(Buffer.from(Payload as Uint8Array).toString()))) };
    } catch (error) {
      const { name, message } = error as Error;
      return { FunctionError: 'Unhandled', Payload: bytes({ errorType: name, errorMessage: message }) };
    }
  }
}
