import { HIGHER_IS_BETTER, TASK_METRICS, TaskSpec } from '../common/contract';
import { Validator } from '../common/validation';
import { GateSpec } from './contract';

/** An absolute bound on a metric of the candidate. */
export interface MetricBound {
  /** Name of the metric. */
  readonly metric: string;

  /** A candidate with a worse value is rejected; worse means larger for errors and smaller for scores. */
  readonly worseThan: number;
}

/** Options of a gate against the champion. */
export interface BeatsChampionOptions {
  /** Metric that decides, computed on the holdout: one of the task's metrics. */
  readonly metric: string;

  /**
   * How much better than the champion the candidate has to be, as a share of the champion's value; 0 admits an equal one.
   *
   * @default 0
   */
  readonly minimumImprovement?: number;

  /**
   * Bounds that the candidate has to keep, also as the first version, when no champion stands against it.
   *
   * @default - none
   */
  readonly bounds?: MetricBound[];
}

/** What a candidate has to prove before it is registered as fit for approval. Fails closed: a figure that cannot be computed is no pass. */
export class Gate {
  /**
   * The candidate has to be better than the champion on the same rows. The first version only has to keep the bounds.
   *
   * Fails at synth if minimumImprovement is not from 0 to 1, a bound is not a number, or a metric is not one of the task's.
   */
  public static beatsChampion(options: BeatsChampionOptions): Gate {
    const { metric, minimumImprovement = 0, bounds = [] } = options;
    const validator = new Validator('Gate.beatsChampion')
      .filled('metric', metric, 'name one of the metrics of the task')
      .range('minimumImprovement', minimumImprovement, 0, 1, 'state it as a share: 0.05 means 5 % better');
    bounds.forEach(({ worseThan }, index) =>
      validator.check(Number.isFinite(worseThan), {
        rule: 'must be a number',
        place: `bounds[${index}].worseThan`,
        got: String(worseThan),
        fix: 'state the worst value that is still accepted',
      }),
    );
    validator.throwIfAny();
    return new Gate({ metric, minimumImprovement, bounds });
  }

  private constructor(private readonly spec: GateSpec) {}

  /**
   * The gate for a task; metrics that are not computed for it are problems.
   *
   * @internal
   */
  public _toSpec(task: TaskSpec, validator: Validator): GateSpec {
    const known = TASK_METRICS[task.kind].filter((metric) => HIGHER_IS_BETTER[metric] !== undefined);
    const named = [{ place: 'gate.metric', metric: this.spec.metric }].concat(
      this.spec.bounds.map(({ metric }, index) => ({ place: `gate.bounds[${index}].metric`, metric })),
    );
    for (const { place, metric } of named) {
      const problem = { rule: `must be a metric of a ${task.kind} task`, place, got: `'${metric}'`, fix: `choose one of ${known.join(', ')}` };
      validator.check(known.includes(metric), problem);
    }
    return this.spec;
  }
}
