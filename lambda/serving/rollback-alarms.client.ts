import {
  CloudWatchClient,
  DeleteAlarmsCommand,
  DescribeAlarmsCommand,
  type Dimension,
  type MetricAlarm,
  PutMetricAlarmCommand,
  type PutMetricAlarmCommandInput,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import { rollbackAlarmName, type RollbackAlarmKind, type ServingSpec, VARIANT_NAME } from '../../lib/serving/contract';

/**
 * During a deployment one bad minute is enough: going back costs nothing. After the promotion it takes two of three, so that a single failed request
 * at night does not replace the version.
 */
const PERIODS = {
  deployment: { EvaluationPeriods: 1, DatapointsToAlarm: 1 },
  watch: { EvaluationPeriods: 3, DatapointsToAlarm: 2 },
} as const;

const KINDS: readonly RollbackAlarmKind[] = ['errors', 'latency'];

/** Alarms of endpoint configurations: made when a configuration is deployed, gone with it. Both may be repeated. */
export class RollbackAlarms {
  constructor(private readonly client: CloudWatchClient = new CloudWatchClient({})) {}

  /** Makes the alarms that the spec asks for and answers their names. None of them is in ALARM for what happened before. */
  async ensure(spec: ServingSpec, endpointConfigName: string, phase: keyof typeof PERIODS): Promise<string[]> {
    const inputs = alarmInputs(spec, endpointConfigName, phase);
    for (const input of inputs) await this.client.send(new PutMetricAlarmCommand(input));
    const names = inputs.map(({ AlarmName }) => AlarmName!);
    for (const { AlarmName } of await this.find(names, 'ALARM')) await this.set(AlarmName!, 'OK', 'a new deployment begins');
    return names;
  }

  async remove(endpointConfigName: string): Promise<void> {
    const found = await this.find(namesOf(endpointConfigName));
    // CloudWatch deletes none of them where one is not there.
    if (found.length > 0) await this.client.send(new DeleteAlarmsCommand({ AlarmNames: found.map(({ AlarmName }) => AlarmName!) }));
  }

  /** Makes the deployment of a configuration go back, as if its own alarm had gone off; answers whether it has one. CloudWatch soon sets it right. */
  async trip(endpointConfigName: string, reason: string): Promise<boolean> {
    const [alarm] = await this.find(namesOf(endpointConfigName));
    if (!alarm) return false;
    await this.set(alarm.AlarmName!, 'ALARM', reason);
    return true;
  }

  private async set(AlarmName: string, StateValue: 'OK' | 'ALARM', StateReason: string): Promise<void> {
    await this.client.send(new SetAlarmStateCommand({ AlarmName, StateValue, StateReason }));
  }

  private async find(AlarmNames: string[], StateValue?: 'ALARM'): Promise<MetricAlarm[]> {
    return (await this.client.send(new DescribeAlarmsCommand({ AlarmNames, StateValue }))).MetricAlarms ?? [];
  }
}

const namesOf = (endpointConfigName: string): string[] => KINDS.map((kind) => rollbackAlarmName(endpointConfigName, kind));

const alarmInputs = (spec: ServingSpec, endpointConfigName: string, phase: keyof typeof PERIODS): PutMetricAlarmCommandInput[] => {
  const { maximumErrorShare, maximumLatencyMicroseconds } = spec.deployment;
  const Dimensions: Dimension[] = [
    { Name: 'EndpointName', Value: spec.endpointName },
    { Name: 'VariantName', Value: VARIANT_NAME },
    // A serverless endpoint publishes none by configuration, and has one at a time only.
    ...(spec.kind === 'REAL_TIME' ? [{ Name: 'EndpointConfigName', Value: endpointConfigName }] : []),
  ];
  const then = phase === 'watch' ? 'the version before serves again' : 'it goes back';
  const alarm = (kind: RollbackAlarmKind, what: string, more: Partial<PutMetricAlarmCommandInput>): PutMetricAlarmCommandInput => ({
    AlarmName: rollbackAlarmName(endpointConfigName, kind),
    AlarmDescription: `${what} than the deployment of ${spec.model} allows; ${then}.`,
    Namespace: 'AWS/SageMaker',
    Dimensions,
    Period: 60,
    ...PERIODS[phase],
    ComparisonOperator: 'GreaterThanThreshold',
    // Without requests there is nothing to judge.
    TreatMissingData: 'notBreaching',
    ...more,
  });
  // Counted as 0 or 1 for every request, so that the average is the share.
  const errors = alarm('errors', 'More requests fail', { MetricName: 'Invocation5XXErrors', Statistic: 'Average', Threshold: maximumErrorShare });
  if (maximumLatencyMicroseconds === undefined) return [errors];
  const slow = { MetricName: 'ModelLatency', ExtendedStatistic: 'p90', Threshold: maximumLatencyMicroseconds };
  return [errors, alarm('latency', 'Requests take longer', slow)];
};
