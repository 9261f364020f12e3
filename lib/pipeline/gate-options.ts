import { Size } from 'aws-cdk-lib';

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
