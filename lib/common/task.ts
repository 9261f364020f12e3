import { TaskSpec } from './contract';
import { Validator } from './validation';

/** What every task states. */
export interface TaskOptions {
  /** Column of the training data that holds the truth. */
  readonly target: string;

  /**
   * Column that holds the event time of a row (ISO 8601; UTC where it names no offset).
   * Decides the holdout (the newest rows), monitoring windows and retraining cooldowns.
   *
   * @default - rows have no time: the holdout is a fixed share, windows use the time of the recorded request
   */
  readonly timeColumn?: string;
}

/** Options of a binary classification task. */
export interface BinaryClassificationOptions extends TaskOptions {
  /** The label counted as positive, as it stands in the target column. */
  readonly positiveLabel: string;
}

/** What a model predicts: decides which metrics are computed and which direction of each is better. */
export class Task {
  /**
   * The model predicts a number. Metrics: rmse, mae, mse, r2.
   *
   * Fails at synth if target or timeColumn are empty or the same column.
   */
  public static regression(options: TaskOptions): Task {
    return new Task('Task.regression', { kind: 'REGRESSION', target: options.target, timeColumn: options.timeColumn });
  }

  /**
   * The model predicts the probability of one of two labels.
   * Metrics: accuracy, precision, recall, f1, falsePositiveRate, auc, averagePrecision, logLoss, brier.
   *
   * Fails at synth if target, timeColumn or positiveLabel are empty, or target and timeColumn the same column.
   */
  public static binaryClassification(options: BinaryClassificationOptions): Task {
    return new Task('Task.binaryClassification', {
      kind: 'BINARY_CLASSIFICATION',
      target: options.target,
      timeColumn: options.timeColumn,
      positiveLabel: options.positiveLabel,
    });
  }

  /**
   * The model predicts one of several labels. Metrics: accuracy, macroF1, weightedF1.
   *
   * Fails at synth if target or timeColumn are empty or the same column.
   */
  public static multiclassClassification(options: TaskOptions): Task {
    return new Task('Task.multiclassClassification', {
      kind: 'MULTICLASS_CLASSIFICATION',
      target: options.target,
      timeColumn: options.timeColumn,
    });
  }

  private constructor(
    factory: string,
    private readonly spec: TaskSpec,
  ) {
    const { target, timeColumn, positiveLabel } = spec;
    new Validator(factory)
      .filled('target', target, 'name the column that holds the truth')
      .filled('timeColumn', timeColumn, 'name the column or leave it out')
      .filled('positiveLabel', positiveLabel, 'state the label as it stands in the target column')
      .check(timeColumn !== target, {
        rule: 'must differ from target',
        place: 'timeColumn',
        got: `'${timeColumn}'`,
        fix: 'the time of an event cannot be what is predicted about it',
      })
      .throwIfAny();
  }

  /** @internal */
  public _toSpec(): TaskSpec {
    return this.spec;
  }
}
