/** What a window's data is compared with. */
export class DriftReference {
  /** All rows that the serving version was trained with. */
  public static trainingData(): DriftReference {
    return new DriftReference('TRAINING');
  }

  /**
   * The rows of earlier years that the serving version was trained with and that lie in the calendar months of the window: a summer is
   * compared with summers. Needs a task with a time column. Where no such rows exist all training rows are taken, and the result says so.
   */
  public static sameSeason(): DriftReference {
    return new DriftReference('SAME_SEASON');
  }

  private constructor(private readonly kind: 'TRAINING' | 'SAME_SEASON') {}

  /** @internal */
  public _toSpec(): 'TRAINING' | 'SAME_SEASON' {
    return this.kind;
  }
}
