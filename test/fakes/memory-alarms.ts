import {
  CloudWatchClient,
  DeleteAlarmsCommand,
  DescribeAlarmsCommand,
  type MetricAlarm,
  PutMetricAlarmCommand,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';

const missing = (name: string): Error => Object.assign(new Error(`alarm ${name} does not exist`), { name: 'ResourceNotFound' });

/** CloudWatch's alarms behind the SDK's edge. */
export class MemoryAlarms {
  readonly alarms = new Map<string, MetricAlarm>();
  /** Called with each state that was set by hand. */
  onState: (name: string, state: string) => void = () => undefined;

  client(): CloudWatchClient {
    const client = new CloudWatchClient({ region: 'eu-west-1', credentials: { accessKeyId: 'x', secretAccessKey: 'x' } });
    client.send = ((command: object) => this.answer(command)) as never;
    return client;
  }

  state(name: string, StateValue: MetricAlarm['StateValue']): void {
    this.alarms.set(name, { ...this.alarms.get(name), AlarmName: name, StateValue });
  }

  private async answer(command: object): Promise<unknown> {
    if (command instanceof PutMetricAlarmCommand) {
      const name = command.input.AlarmName!;
      return this.alarms.set(name, { ...command.input, StateValue: this.alarms.get(name)?.StateValue ?? 'INSUFFICIENT_DATA' } as MetricAlarm);
    }
    if (command instanceof DescribeAlarmsCommand) {
      const { AlarmNames = [], StateValue } = command.input;
      const found = AlarmNames.flatMap((name) => this.alarms.get(name) ?? []);
      return { MetricAlarms: found.filter((alarm) => StateValue === undefined || alarm.StateValue === StateValue) };
    }
    if (command instanceof DeleteAlarmsCommand) {
      const unknown = command.input.AlarmNames!.find((name) => !this.alarms.has(name));
      if (unknown) throw missing(unknown);
      return command.input.AlarmNames!.forEach((name) => this.alarms.delete(name));
    }
    if (command instanceof SetAlarmStateCommand) {
      const { AlarmName, StateValue } = command.input;
      if (!this.alarms.has(AlarmName!)) throw missing(AlarmName!);
      this.state(AlarmName!, StateValue);
      return this.onState(AlarmName!, StateValue!);
    }
    throw new Error(`not stubbed: ${command.constructor.name}`);
  }
}
