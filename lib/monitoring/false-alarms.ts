import { Duration } from 'aws-cdk-lib';
import { Validator } from '../common/validation';
import { FalseAlarmSpec } from './contract';

const SHARES = { drift: 0.5, quality: 0.25, groups: 0.25 };

/** How the accepted false alarms are divided among the statistical rules; together 1. */
export interface FalseAlarmShares {
  /**
   * Share of drift, 0 to 1.
   *
   * @default 0.5
   */
  readonly drift?: number;

  /**
   * Share of live quality, 0 to 1.
   *
   * @default 0.25
   */
  readonly quality?: number;

  /**
   * Share of gaps between groups, 0 to 1.
   *
   * @default 0.25
   */
  readonly groups?: number;
}

/**
 * How many false alarms are accepted. All statistical rules of a model together are expected to raise at most so many episodes while nothing is
 * wrong; an episode is an unbroken run of alarming windows and is told once. Checks that do not depend on chance, like a missing column, are not
 * part of it.
 */
export class FalseAlarms {
  /**
   * At most `episodes` in `period`, on average. Fewer false alarms mean that small changes are seen later.
   *
   * Fails at synth if episodes is not above 0, the period is not of whole days from 1 to 3650, or the shares do not add up to 1.
   *
   * @param episodes expected false episodes; may be a fraction
   * @param period time in which they are expected, in whole days
   */
  public static atMost(episodes: number, period: Duration, shares: FalseAlarmShares = {}): FalseAlarms {
    const { drift = SHARES.drift, quality = SHARES.quality, groups = SHARES.groups } = shares;
    return new FalseAlarms(episodes, period, { drift, quality, groups });
  }

  private constructor(
    private readonly episodes: number,
    private readonly period: Duration,
    private readonly shares: Required<FalseAlarmShares>,
  ) {
    const days = period.toDays({ integral: false });
    const total = Object.values(shares).reduce((sum, share) => sum + share, 0);
    const validator = new Validator('FalseAlarms.atMost')
      .check(Number.isFinite(episodes) && episodes > 0, {
        rule: 'must be above 0',
        place: 'episodes',
        got: String(episodes),
        fix: 'whoever accepts no false alarm at all can be told nothing',
      })
      .check(Number.isInteger(days) && days >= 1 && days <= 3650, {
        rule: 'must be whole days from 1 to 3650',
        place: 'period',
        got: period.toHumanString(),
        fix: 'use e.g. Duration.days(90)',
      });
    for (const [name, share] of Object.entries(shares)) validator.range(`shares.${name}`, share, 0, 1, 'state a share of the whole');
    validator
      .check(Math.abs(total - 1) < 1e-9, {
        rule: 'must add up to 1',
        place: 'shares',
        got: `${Object.entries(shares).map(([name, share]) => `${name} ${share}`).join(', ')}: ${Number(total.toPrecision(6))}`,
        fix: 'what is left out keeps its default (drift 0.5, quality 0.25, groups 0.25)',
      })
      .throwIfAny();
  }

  /** @internal */
  public _toSpec(): FalseAlarmSpec {
    return { episodes: this.episodes, days: this.period.toDays(), shares: this.shares };
  }
}
