import { Validator } from '../common/validation';
import { PipelineSpec } from './contract';

/** Which part of the data is kept out of training, to judge the candidate and the champion on it. */
export class Holdout {
  /**
   * The newest days of the data (calendar days, UTC), by the task's `timeColumn`.
   *
   * Fails at synth if days is not a whole number from 1 to 3650.
   *
   * @param days number of days
   */
  public static lastDays(days: number): Holdout {
    new Validator('Holdout.lastDays')
      .check(Number.isInteger(days) && days >= 1 && days <= 3650, {
        rule: 'must be a whole number of days from 1 to 3650',
        place: 'days',
        got: String(days),
        fix: 'choose whole days, or Holdout.share()',
      })
      .throwIfAny();
    return new Holdout({ days });
  }

  /**
   * A share of the rows: the newest ones where the task has a `timeColumn`, otherwise rows chosen by a hash of their content,
   * so that a row stays on its side when data is added and equal rows never stand on both sides.
   *
   * Fails at synth if share is not above 0 and at most 0.5.
   *
   * @param share part of all rows
   */
  public static share(share: number): Holdout {
    new Validator('Holdout.share')
      .check(share > 0 && share <= 0.5, {
        rule: 'must be above 0 and at most 0.5',
        place: 'share',
        got: String(share),
        fix: 'keep between a tenth and a third of the rows out of training',
      })
      .throwIfAny();
    return new Holdout({ share });
  }

  private constructor(private readonly spec: PipelineSpec['holdout']) {}

  /** @internal */
  public _toSpec(): PipelineSpec['holdout'] {
    return this.spec;
  }
}
