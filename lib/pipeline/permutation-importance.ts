import { Validator } from '../common/validation';
import { ImportanceSpec } from './contract';

/** Which rows are scored to find out how important features are. */
export interface PermutationImportanceOptions {
  /**
   * How often each feature is shuffled; the spread between the times is told too. 1 to 100.
   *
   * @default 5
   */
  readonly repeats?: number;

  /**
   * Holdout rows that are sampled at most. 50 to 100,000. More are needed where the metric rests on a rare class.
   *
   * @default 500
   */
  readonly maxSamples?: number;

  /**
   * Rows that the candidate scores for it at most: features times repeats times rows of the sample. With many features the sample is smaller, or each
   * is shuffled only once; where that leaves fewer than 50 rows for each, there is no importance, and the report says so. 100 to 1,000,000.
   *
   * @default 50000
   */
  readonly maximumRows?: number;
}

const [REPEATS, MAX_SAMPLES, MAXIMUM_ROWS] = [5, 500, 50_000];

/**
 * How much worse a candidate's deciding metric gets where the values of one feature are shuffled among the rows: what the model rests on. Shuffled
 * rows are scored by the job that scores the holdout; no rule of the gate looks at them.
 */
export class PermutationImportance {
  /**
   * Neither rows nor figures: for a model whose rows are costly to score, or one that refuses rows whose values do not fit each other, since a row
   * that is refused fails the job that scores the holdout.
   */
  public static off(): PermutationImportance {
    return new PermutationImportance();
  }

  /**
   * Of a sample of the holdout.
   *
   * Fails at synth if an option is out of its range or no whole number.
   */
  public static sampled(options: PermutationImportanceOptions = {}): PermutationImportance {
    const { repeats = REPEATS, maxSamples = MAX_SAMPLES, maximumRows = MAXIMUM_ROWS } = options;
    const validator = new Validator('PermutationImportance.sampled');
    const whole = (place: string, value: number, minimum: number, maximum: number): Validator =>
      validator.check(Number.isInteger(value) && value >= minimum && value <= maximum, {
        rule: `must be a whole number from ${minimum} to ${maximum}`,
        place,
        got: String(value),
        fix: 'state such a number, or leave it out',
      });
    whole('repeats', repeats, 1, 100);
    whole('maxSamples', maxSamples, 50, 100_000);
    whole('maximumRows', maximumRows, 100, 1_000_000);
    validator.throwIfAny();
    return new PermutationImportance({ repeats, maxSamples, maximumRows });
  }

  private constructor(private readonly spec?: ImportanceSpec) {}

  /** @internal */
  public _toSpec(): ImportanceSpec | undefined {
    return this.spec;
  }
}
