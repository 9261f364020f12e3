import { TASK_METRICS, TaskSpec } from '../common/contract';
import { Problem } from '../common/validation';
import { GroupRuleSpec } from './contract';

/** Gaps named as Fairlearn names them; all need the two classes of a binary task. */
const FAIRNESS_METRICS = ['demographicParityDifference', 'demographicParityRatio', 'equalOpportunityDifference', 'equalizedOddsDifference'];
/** Metrics without a largest value; every other one lies between 0 and 1. */
const UNBOUNDED = ['rmse', 'mae', 'mse', 'r2', 'logLoss'];

/** How far groups may lie apart. */
export interface GroupGapOptions {
  /**
   * What is compared: for binary classification `demographicParityDifference`, `demographicParityRatio`, `equalOpportunityDifference` or
   * `equalizedOddsDifference` as Fairlearn defines them; for every task also one of its metrics, whose gap is that between the best and the worst
   * group.
   */
  readonly metric: string;

  /** Largest difference that is accepted, in the metric's unit; for a ratio the smallest one. */
  readonly bound: number;
}

/** Groups of rows that are looked at by themselves, told apart by a column of the requests. */
export class GroupRule {
  /** The gap between the groups of a column must stay within a bound: a gap whose interval excludes the bound is an alarm. */
  public static within(column: string, options: GroupGapOptions): GroupRule {
    return new GroupRule(column, options);
  }

  /** The groups of a column are measured and shown, and never alarm. */
  public static measured(column: string): GroupRule {
    return new GroupRule(column);
  }

  private constructor(
    private readonly column: string,
    private readonly gap?: GroupGapOptions,
  ) {}

  /** @internal */
  public get _column(): string {
    return this.column;
  }

  /** @internal */
  public get _key(): string {
    return this.gap ? `${this.column}: ${this.gap.metric}` : this.column;
  }

  /** @internal */
  public _toSpec(): GroupRuleSpec | undefined {
    return this.gap && { column: this.column, metric: this.gap.metric, bound: this.gap.bound };
  }

  /** @internal */
  public _problems(place: string, task?: TaskSpec): Problem[] {
    const problems: Problem[] = [];
    if (this.column.trim() === '') {
      problems.push({ rule: 'must not be empty', place: `${place}.column`, got: `'${this.column}'`, fix: 'name the column that tells the groups' });
    }
    if (task && this.column === task.target) {
      const fix = 'groups are told by what is known when the prediction is made';
      problems.push({ rule: 'must differ from the target', place: `${place}.column`, got: `'${this.column}'`, fix });
    }
    if (!this.gap) return problems;
    const { metric, bound } = this.gap;
    const known = [...(task && task.kind !== 'BINARY_CLASSIFICATION' ? [] : FAIRNESS_METRICS), ...metricsOf(task)];
    if (!known.includes(metric)) {
      problems.push({
        rule: `must be a gap that ${task ? 'the task' : 'some task'} has (${known.join(', ')})`,
        place: `${place}.metric`,
        got: `'${metric}'`,
        fix: FAIRNESS_METRICS.includes(metric) ? 'rates need the two classes of a binary task: compare a metric of the task' : 'use one of them',
      });
    }
    const largest = UNBOUNDED.includes(metric) ? Number.MAX_VALUE : 1;
    if (!(bound >= 0 && bound <= largest)) {
      problems.push({
        rule: largest === 1 ? 'must be between 0 and 1' : 'must be a number of at least 0',
        place: `${place}.bound`,
        got: String(bound),
        fix: metric === 'demographicParityRatio' ? 'state the smallest ratio that is accepted' : 'state the largest gap that is accepted',
      });
    }
    return problems;
  }
}

const metricsOf = (task?: TaskSpec): readonly string[] => (task ? TASK_METRICS[task.kind] : Object.values(TASK_METRICS).flat());
