import { EventBridgeClient, type PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  SFNClient,
  RedriveExecutionCommand,
  StartExecutionCommand,
  type StartExecutionCommandInput,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';

export interface PutEvent {
  readonly bus?: string;
  readonly type?: string;
  readonly detail: Record<string, unknown>;
}

/** EventBridge behind the SDK's edge: what was put on any bus, in order. */
export class MemoryEvents {
  readonly events: PutEvent[] = [];
  /** Called with each event that was taken. */
  taken: (event: PutEvent) => void | Promise<void> = () => undefined;

  install(): jest.SpyInstance {
    return jest.spyOn(EventBridgeClient.prototype, 'send').mockImplementation(((command: PutEventsCommand) => this.take(command)) as never);
  }

  ofType(type: string): Record<string, unknown>[] {
    return this.events.filter((event) => event.type === type).map(({ detail }) => detail);
  }

  private async take(command: PutEventsCommand): Promise<object> {
    for (const { EventBusName, DetailType, Detail } of command.input.Entries ?? []) {
      const event = { bus: EventBusName, type: DetailType, detail: JSON.parse(Detail ?? '{}') as Record<string, unknown> };
      this.events.push(event);
      await this.taken(event);
    }
    return { FailedEntryCount: 0 };
  }
}

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });

/** Step Functions behind the SDK's edge: executions by ARN, each with the newest events of its history first. */
export class MemoryExecutions {
  readonly executions = new Map<string, Partial<DescribeExecutionCommandOutput> & { readonly events?: HistoryEvent[] }>();
  readonly started: StartExecutionCommandInput[] = [];
  /** Called with an execution that was stopped or redriven. */
  changed: (executionArn: string) => void | Promise<void> = () => undefined;
  /** What executions of a state machine answer at once, by its ARN; those of others run until the test ends them. */
  readonly answers = new Map<string, (input: Record<string, unknown>) => unknown>();

  install(): jest.SpyInstance {
    return jest.spyOn(SFNClient.prototype, 'send').mockImplementation(((command: object) => this.answer(command)) as never);
  }

  private async answer(command: object): Promise<object> {
    if (command instanceof StartExecutionCommand) {
      const { stateMachineArn, name, input } = command.input;
      const executionArn = `${stateMachineArn?.replace(':stateMachine:', ':execution:')}:${name ?? this.started.length}`;
      if (this.executions.has(executionArn)) throw named('ExecutionAlreadyExists', `Execution Already Exists: '${executionArn}'`);
      this.started.push(command.input);
      const answer = this.answers.get(stateMachineArn ?? '');
      this.executions.set(executionArn, { executionArn, input, ...(answer ? await ended(answer, input) : { status: 'RUNNING' }) });
      return { executionArn };
    }
    const { executionArn } = (command as DescribeExecutionCommand).input;
    const found = this.executions.get(executionArn!);
    if (!found) throw named('ExecutionDoesNotExist', `Execution Does Not Exist: '${executionArn}'`);
    if (command instanceof DescribeExecutionCommand) return found;
    if (command instanceof StopExecutionCommand || command instanceof RedriveExecutionCommand) {
      const { error, cause } = command.input as { readonly error?: string; readonly cause?: string };
      const isStop = command instanceof StopExecutionCommand;
      if (!isStop && found.redriveStatus !== 'REDRIVABLE') throw named('ExecutionNotRedrivable', 'Execution is not redrivable');
      this.executions.set(executionArn!, { ...found, status: isStop ? 'ABORTED' : 'RUNNING', error, cause });
      await this.changed(executionArn!);
      return {};
    }
    if (command instanceof GetExecutionHistoryCommand) return { events: command.input.reverseOrder ? found.events : found.events?.toReversed() };
    throw new Error(`not stubbed: ${command.constructor.name}`);
  }
}

const ended = async (answer: (input: Record<string, unknown>) => unknown, input = '{}'): Promise<Partial<DescribeExecutionCommandOutput>> => {
  try {
    return { status: 'SUCCEEDED', output: JSON.stringify(await answer(JSON.parse(input))) };
  } catch (error) {
    const { name, message } = error as Error;
    return { status: 'FAILED', error: name, cause: message };
  }
};
