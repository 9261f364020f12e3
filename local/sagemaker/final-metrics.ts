import type { MetricData, MetricDefinition } from '@aws-sdk/client-sagemaker';
import type { Metrics } from './metrics';

/** Reads metrics out of a job's log lines by its MetricDefinitions; the last value of each counts. */
export class FinalMetrics {
  private readonly patterns: Array<{ name: string; regex: RegExp }> = [];
  private readonly last = new Map<string, MetricData>();

  constructor(
    definitions: readonly MetricDefinition[],
    private readonly onValue: (metric: MetricData) => void = () => undefined,
  ) {
    for (const { Name, Regex } of definitions) {
      try {
        this.patterns.push({ name: Name!, regex: new RegExp(Regex!) });
      } catch {
        // A pattern that JavaScript cannot read finds nothing, as a pattern that never matches does on AWS.
      }
    }
  }

  read(line: string): void {
    for (const { name, regex } of this.patterns) {
      const value = Number.parseFloat(regex.exec(line)?.[1] ?? '');
      if (!Number.isFinite(value)) continue;
      const metric = { MetricName: name, Value: value, Timestamp: new Date() };
      this.last.set(name, metric);
      this.onValue(metric);
    }
  }

  list(): MetricData[] | undefined {
    return this.patterns.length > 0 ? [...this.last.values()] : undefined;
  }

  publish(metrics: Metrics, trainingJobName: string): void {
    for (const { MetricName, Value } of this.last.values()) {
      metrics.put('/aws/sagemaker/TrainingJobs', { TrainingJobName: trainingJobName }, { [MetricName!]: [Value!, 'None'] });
    }
  }
}
