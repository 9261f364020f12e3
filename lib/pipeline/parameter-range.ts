import { Validator } from '../common/validation';

/** How the values of a range are drawn. */
export enum RangeScaling {
  /** SageMaker chooses. */
  AUTO = 'Auto',
  /** Evenly between the two ends. */
  LINEAR = 'Linear',
  /** Small values as often as large ones, by their order of magnitude; from above 0. */
  LOGARITHMIC = 'Logarithmic',
  /** As before, seen from 1; continuous values from 0 to below 1 only. */
  REVERSE_LOGARITHMIC = 'ReverseLogarithmic',
}

/** A hyperparameter that a tuning varies, and between what. */
export class ParameterRange {
  /**
   * Whole numbers, both ends included.
   *
   * @param name name of the hyperparameter
   * @param minimum smallest value
   * @param maximum largest value
   * @param scaling how values are drawn; `RangeScaling.AUTO` where it is left out
   */
  public static integer(name: string, minimum: number, maximum: number, scaling: RangeScaling = RangeScaling.AUTO): ParameterRange {
    return new ParameterRange('integer', name, minimum, maximum, scaling, []);
  }

  /**
   * Numbers, both ends included.
   *
   * @param name name of the hyperparameter
   * @param minimum smallest value
   * @param maximum largest value
   * @param scaling how values are drawn; `RangeScaling.AUTO` where it is left out
   */
  public static continuous(name: string, minimum: number, maximum: number, scaling: RangeScaling = RangeScaling.AUTO): ParameterRange {
    return new ParameterRange('continuous', name, minimum, maximum, scaling, []);
  }

  /**
   * One of several values, at most 30.
   *
   * @param name name of the hyperparameter
   * @param values the values
   */
  public static categorical(name: string, values: string[]): ParameterRange {
    return new ParameterRange('categorical', name, 0, 0, RangeScaling.AUTO, values);
  }

  private constructor(
    private readonly kind: 'integer' | 'continuous' | 'categorical',
    private readonly name: string,
    private readonly minimum: number,
    private readonly maximum: number,
    private readonly scaling: RangeScaling,
    private readonly values: string[],
  ) {}

  /** @internal */
  public get _name(): string {
    return this.name;
  }

  /**
   * Values that a grid goes through; undefined where there is no end of them.
   *
   * @internal
   */
  public get _count(): number | undefined {
    return this.kind === 'categorical' ? this.values.length : undefined;
  }

  /** @internal */
  public _check(validator: Validator, place: string): void {
    const { kind, name, minimum, maximum, scaling, values } = this;
    validator.pattern(`${place}.name`, name, /^.{1,256}$/, 'must have 1 to 256 characters', 'choose a shorter name');
    if (kind === 'categorical') {
      validator.range(`${place}.values`, values.length, 1, 30, 'SageMaker takes 1 to 30 values').check(new Set(values).size === values.length, {
        rule: 'values must differ',
        place: `${place}.values`,
        got: values.join(', '),
        fix: 'name each once',
      });
      return;
    }
    const got = `${minimum} to ${maximum}`;
    validator
      .check(Number.isFinite(minimum) && Number.isFinite(maximum) && minimum < maximum, {
        rule: 'the smallest value must be below the largest',
        place,
        got,
        fix: 'state the smaller one first',
      })
      .check(kind !== 'integer' || (Number.isInteger(minimum) && Number.isInteger(maximum)), {
        rule: 'both ends must be whole numbers',
        place,
        got,
        fix: 'use ParameterRange.continuous()',
      })
      .check(scaling !== RangeScaling.LOGARITHMIC || minimum > 0, {
        rule: 'a logarithmic range begins above 0',
        place,
        got,
        fix: 'raise the smallest value',
      })
      .check(scaling !== RangeScaling.REVERSE_LOGARITHMIC || (kind === 'continuous' && minimum >= 0 && maximum < 1), {
        rule: 'a reverse logarithmic range is continuous, from 0 to below 1',
        place,
        got,
        fix: 'choose another scaling',
      });
  }

  /** @internal */
  public static _render(ranges: readonly ParameterRange[]): object {
    const of = (kind: string) => ranges.filter((range) => range.kind === kind);
    const numbers = (kind: string) =>
      of(kind).map(({ name, minimum, maximum, scaling }) => ({
        ...{ Name: name, MinValue: String(minimum), MaxValue: String(maximum) },
        ScalingType: scaling,
      }));
    return {
      IntegerParameterRanges: numbers('integer'),
      ContinuousParameterRanges: numbers('continuous'),
      CategoricalParameterRanges: of('categorical').map(({ name, values }) => ({ Name: name, Values: values })),
    };
  }
}
