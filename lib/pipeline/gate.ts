import { Size } from 'aws-cdk-lib';
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

/** A bound that every group of rows has to keep. */
export interface GroupBound {
  /** Column of the data set whose values are the groups; rows without a value are a group of their own. */
  readonly column: string;

  /** Name of the metric. */
  readonly metric: string;

  /** A candidate is rejected where a group's value is worse; worse means larger for errors and smaller for scores. */
  readonly worseThan: number;

  /**
   * Groups with fewer rows in the holdout are shown, not judged. Where no group has as many the gate is not passed.
   *
   * @default 100
   */
  readonly minimumRows?: number;
}

/** What a gate does where the holdout has fewer blocks (days, else rows) than it needs for a bootstrap. */
export enum FewBlocks {
  /** The interval comes from Student's t over the blocks instead: wider, and honest from two blocks on. */
  WIDEN = 'WIDEN',
  /** The candidate is rejected. */
  REFUSE = 'REFUSE',
}

/** What every kind of gate may ask for. */
export interface GateOptions {
  /** Metric that decides between candidate and champion, computed on the holdout: one of the task's metrics. */
  readonly metric: string;

  /**
   * Bounds that the candidate has to keep, also as the first version, when no champion stands against it.
   *
   * @default - none
   */
  readonly bounds?: MetricBound[];

  /**
   * How certain the comparison with the champion has to be: one-sided confidence of the paired interval whose lower end decides.
   *
   * @default 0.95
   */
  readonly confidence?: number;

  /**
   * Blocks that the bootstrap needs: whole days where the task has a time column, since the rows of a day resemble each other, else rows.
   *
   * @default 20
   */
  readonly minimumBlocks?: number;

  /**
   * What happens with fewer blocks.
   *
   * @default FewBlocks.WIDEN
   */
  readonly fewBlocks?: FewBlocks;

  /**
   * Bounds for each group of rows.
   *
   * @default - groups are not judged
   */
  readonly groups?: GroupBound[];

  /**
   * Mean time per row, in milliseconds, of the transform job that scored the holdout, the start of its container included. A gate that names it is
   * not passed where the job told no times.
   *
   * @default - not judged
   */
  readonly maximumMillisecondsPerRow?: number;

  /**
   * Largest `model.tar.gz` that may pass.
   *
   * @default - not judged
   */
  readonly maximumModelSize?: Size;

  /**
   * Share of the holdout's rows that may also be training rows, of the candidate or of the champion: honest duplicates. With more the comparison
   * says what a model remembers, not what it learned, and the candidate is rejected.
   *
   * @default 0.01
   */
  readonly allowedDuplicateShare?: number;

  /**
   * Columns that identify a row, for the search for rows that are in training and holdout.
   *
   * @default - all columns
   */
  readonly rowKey?: string[];
}

/** Options of a gate that a candidate passes by being better than the champion. */
export interface BeatsChampionOptions extends GateOptions {
  /**
   * How much better than the champion the candidate has to be shown to be, as a share of the champion's value: the lower end of the paired interval
   * has to reach it. 0 asks for better by any amount, and admits one that is equal on every block.
   *
   * @default 0
   */
  readonly minimumImprovement?: number;
}

/** Options of a gate that a candidate passes by not being worse than the champion. */
export interface NotWorseThanChampionOptions extends GateOptions {
  /**
   * By how much the candidate may be worse, as a share of the champion's value, more than 0 and at most 1: the lower end of the paired interval of
   * its improvement must not lie below minus this.
   */
  readonly margin: number;
}

const DEFAULT_CONFIDENCE = 0.95;
const DEFAULT_MINIMUM_BLOCKS = 20;
const DEFAULT_GROUP_ROWS = 100;
const DEFAULT_DUPLICATE_SHARE = 0.01;

/** What a candidate has to prove before it is registered as fit for approval. Fails closed: a figure that cannot be computed is no pass. */
export class Gate {
  /**
   * The candidate has to be shown to be better than the champion on the same rows. The first version only has to keep the other rules.
   *
   * Fails at synth if minimumImprovement is not from 0 to 1, a bound is not a number, another option is out of its range, or a metric is not one of
   * the task's.
   */
  public static beatsChampion(options: BeatsChampionOptions): Gate {
    const { minimumImprovement = 0 } = options;
    const validator = new Validator('Gate.beatsChampion').range(
      'minimumImprovement',
      minimumImprovement,
      0,
      1,
      'state it as a share: 0.05 means 5 % better',
    );
    return new Gate(toSpec(options, minimumImprovement, validator));
  }

  /**
   * The candidate has to be shown not to be worse than the champion by more than a margin, on the same rows: for retraining on newer data, where a
   * better model is not the aim. The first version only has to keep the other rules.
   *
   * Fails at synth as `beatsChampion` does, and if the margin is not more than 0 and at most 1.
   */
  public static notWorseThanChampion(options: NotWorseThanChampionOptions): Gate {
    const { margin } = options;
    const validator = new Validator('Gate.notWorseThanChampion').check(margin > 0 && margin <= 1, {
      rule: 'must be more than 0 and at most 1',
      place: 'margin',
      got: String(margin),
      fix: 'state it as a share: 0.02 allows 2 % worse',
    });
    return new Gate(toSpec(options, -margin, validator));
  }

  private constructor(private readonly spec: GateSpec) {}

  /**
   * The gate for a task; metrics that are not computed for it are problems, and so is a holdout of so few days that no candidate could ever pass.
   *
   * @internal
   */
  public _toSpec(task: TaskSpec, validator: Validator, holdoutDays?: number): GateSpec {
    const { metric, bounds, groups, fewBlocks, minimumBlocks } = this.spec;
    const known = TASK_METRICS[task.kind].filter((name) => HIGHER_IS_BETTER[name] !== undefined);
    const named = [
      { place: 'gate.metric', metric },
      ...bounds.map((bound, index) => ({ place: `gate.bounds[${index}].metric`, metric: bound.metric })),
      ...groups.map((group, index) => ({ place: `gate.groups[${index}].metric`, metric: group.metric })),
    ];
    for (const { place, metric: name } of named) {
      const problem = { rule: `must be a metric of a ${task.kind} task`, place, got: `'${name}'`, fix: `choose one of ${known.join(', ')}` };
      validator.check(known.includes(name), problem);
    }
    if (task.timeColumn === undefined || holdoutDays === undefined) return this.spec;
    validator.check(fewBlocks !== 'refuse' || holdoutDays >= minimumBlocks, {
      rule: `must be at least the gate's minimumBlocks of ${minimumBlocks}, since the gate refuses fewer`,
      place: 'holdout',
      got: `${holdoutDays} days`,
      fix: 'hold out more days, ask for fewer blocks, or let fewBlocks widen the interval',
    });
    return this.spec;
  }
}

const toSpec = (options: GateOptions, minimumImprovement: number, validator: Validator): GateSpec => {
  const { metric, bounds = [], groups = [], rowKey, maximumMillisecondsPerRow, maximumModelSize } = options;
  const { confidence = DEFAULT_CONFIDENCE, minimumBlocks = DEFAULT_MINIMUM_BLOCKS, allowedDuplicateShare = DEFAULT_DUPLICATE_SHARE } = options;
  const finite = (place: string, worseThan: number): Validator =>
    validator.check(Number.isFinite(worseThan), {
      rule: 'must be a number',
      place: `${place}.worseThan`,
      got: String(worseThan),
      fix: 'state the worst value that is still accepted',
    });
  validator
    .filled('metric', metric, 'name one of the metrics of the task')
    .range('confidence', confidence, 0.5, 0.999, 'state it as a share: 0.95 means that one of twenty equal candidates passes by chance')
    .range('minimumBlocks', minimumBlocks, 2, 10_000, 'state a number of days or rows')
    .range('allowedDuplicateShare', allowedDuplicateShare, 0, 1, 'state it as a share: 0.01 allows one row of a hundred')
    .check(maximumMillisecondsPerRow === undefined || maximumMillisecondsPerRow > 0, {
      rule: 'must be more than 0',
      place: 'maximumMillisecondsPerRow',
      got: String(maximumMillisecondsPerRow),
      fix: 'state the longest mean time per row, or leave it out',
    })
    .check(rowKey === undefined || (rowKey.length > 0 && new Set(rowKey).size === rowKey.length && rowKey.every((name) => name.trim() !== '')), {
      rule: 'must name columns, each once',
      place: 'rowKey',
      got: JSON.stringify(rowKey),
      fix: 'name the columns that identify a row, or leave it out for all columns',
    });
  bounds.forEach(({ worseThan }, index) => finite(`bounds[${index}]`, worseThan));
  groups.forEach(({ column, worseThan, minimumRows = DEFAULT_GROUP_ROWS }, index) => {
    finite(`groups[${index}]`, worseThan);
    validator
      .filled(`groups[${index}].column`, column, 'name the column whose values are the groups')
      .range(`groups[${index}].minimumRows`, minimumRows, 1, Infinity, 'state the rows from which a group is judged');
  });
  validator.throwIfAny();
  return {
    metric,
    minimumImprovement,
    confidence,
    minimumBlocks: Math.ceil(minimumBlocks),
    fewBlocks: options.fewBlocks === FewBlocks.REFUSE ? 'refuse' : 'widen',
    bounds,
    groups: groups.map((group) => ({ ...group, minimumRows: group.minimumRows ?? DEFAULT_GROUP_ROWS })),
    ...(maximumMillisecondsPerRow !== undefined && { maximumMillisecondsPerRow }),
    ...(maximumModelSize && { maximumModelBytes: maximumModelSize.toBytes() }),
    allowedDuplicateShare,
    ...(rowKey && { rowKey }),
  };
};
