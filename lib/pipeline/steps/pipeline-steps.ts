import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { Validator } from '../../common/validation';
import { IPipelineStep, PipelineStepContext, PipelineStepContextProps } from './pipeline-step';
import { StandardStep } from './standard-step';

const STEP_ID = /^[A-Za-z][A-Za-z0-9_]{0,39}$/;
/** More would no longer fit the names of their jobs. */
const MOST_STEPS = 100;

/** Where later states look for what a step leaves, and so where a step that stands in its place has to leave it. */
const RESULT_OF: Readonly<Partial<Record<StandardStep, string>>> = {
  [StandardStep.TRAIN]: '$.trainingJob',
  [StandardStep.SCORE_HOLDOUT]: '$.scoring',
  [StandardStep.BASELINE]: '$.baseline',
  [StandardStep.RELEASE]: '$.release',
};

/** Why a step has to stay; those that may be replaced are in RESULT_OF. */
const NEEDED: Readonly<Partial<Record<StandardStep, string>>> = {
  [StandardStep.PREPARE_DATA]: 'every later step reads what it says of the run and its data',
  [StandardStep.TRAIN]: 'without a training there is no candidate',
  [StandardStep.SCORE_HOLDOUT]: 'the gate judges by these scores',
  [StandardStep.EVALUATE]: 'the gate decides whether a version may serve',
  [StandardStep.BASELINE]: 'a version without a baseline cannot be watched, and the registry does not let it be approved',
  [StandardStep.REGISTER]: 'what serves has to be on record',
  [StandardStep.APPROVE]: 'nothing serves that nobody answers for; Approval.automatic() makes the policy answer',
  [StandardStep.PROMOTE]: 'the champion pointer says what serves',
};

interface Edit {
  readonly kind: 'before' | 'after' | 'replace' | 'without';
  readonly step: StandardStep;
  readonly own: readonly IPipelineStep[];
}

/**
 * Steps of a pipeline once they stand in it.
 *
 * @internal
 */
export interface BoundSteps {
  /** Time that they may take in all. */
  readonly longest: Duration;
  /** Ids of steps that stand first between the preparation of the data and the end of the training. */
  readonly afterPrepare: readonly string[];
  before(step: StandardStep): sfn.IChainable[];
  after(step: StandardStep): sfn.IChainable[];
  /** What stands in the step's place; undefined where that is the step itself, empty where it is left out. */
  insteadOf(step: StandardStep): sfn.IChainable[] | undefined;
}

/** The standard pipeline, with steps of yours. What it needs to be trusted cannot be taken out: synth refuses it and says why. */
export class PipelineSteps {
  /** The standard steps, nothing else. */
  public static standard(): PipelineSteps {
    return new PipelineSteps([]);
  }

  private constructor(private readonly edits: readonly Edit[]) {}

  /**
   * Steps of yours before a standard one, in this order and behind those that were added there before.
   *
   * @param step standard step; nothing can stand before PREPARE_DATA
   * @param own steps of yours
   */
  public before(step: StandardStep, ...own: IPipelineStep[]): PipelineSteps {
    return new PipelineSteps([...this.edits, { kind: 'before', step, own }]);
  }

  /**
   * Steps of yours after a standard one, in this order and behind those that were added there before. After RELEASE and PROMOTE they run only where
   * a new version is released, not in a rollback.
   *
   * @param step standard step
   * @param own steps of yours
   */
  public after(step: StandardStep, ...own: IPipelineStep[]): PipelineSteps {
    return new PipelineSteps([...this.edits, { kind: 'after', step, own }]);
  }

  /**
   * A step of yours in the place of TRAIN, SCORE_HOLDOUT, BASELINE or RELEASE. Its result has to be what the standard step leaves; a step in place of
   * RELEASE also runs in rollbacks, and what another run promoted meanwhile is then found only by PROMOTE, which fails.
   *
   * @param step standard step
   * @param own step of yours
   */
  public replace(step: StandardStep, own: IPipelineStep): PipelineSteps {
    return new PipelineSteps([...this.edits, { kind: 'replace', step, own: [own] }]);
  }

  /**
   * The pipeline without RELEASE: for models whose predictions are made in batches, without an endpoint. No other standard step can be left out.
   *
   * @param step standard step
   */
  public without(step: StandardStep): PipelineSteps {
    return new PipelineSteps([...this.edits, { kind: 'without', step, own: [] }]);
  }

  /**
   * Names what cannot be.
   *
   * @internal
   */
  public _validate(validator: Validator): void {
    const own = this.edits.flatMap((edit) => edit.own);
    validator.range('steps', own.length, 0, MOST_STEPS, `at most ${MOST_STEPS} steps of your own`);
    for (const { stepId } of own) {
      validator.pattern(`steps.${stepId}`, stepId, STEP_ID, 'ids are letters, digits and _, first a letter, at most 40', 'choose such an id').check(
        own.filter((other) => other.stepId === stepId).length === 1,
        { rule: 'ids must differ', place: `steps.${stepId}`, fix: 'make a step of its own for each place' },
      );
    }
    for (const { kind, step } of this.edits) {
      const place = `steps.${kind}(${step})`;
      const rule = NEEDED[step];
      const changed = this.edits.filter((edit) => edit.step === step && (edit.kind === 'replace' || edit.kind === 'without'));
      validator
        .check(kind !== 'before' || step !== StandardStep.PREPARE_DATA, {
          ...{ rule: 'the run is not on record before, and its jobs have no names', place },
          fix: 'use after(StandardStep.PREPARE_DATA)',
        })
        .check(kind !== 'without' || rule === undefined, { rule: rule ?? '', place, fix: 'only RELEASE can be left out' })
        .check(kind !== 'replace' || RESULT_OF[step] !== undefined, {
          ...{ rule: rule ?? '', place },
          fix: `only ${Object.keys(RESULT_OF).join(', ')} can be replaced`,
        })
        .check(changed.length <= 1, { rule: 'can be replaced or left out once', place, fix: 'decide for one' });
    }
  }

  /** @internal */
  public _bind(scope: Construct, about: Omit<PipelineStepContextProps, 'stepId' | 'index'>): BoundSteps {
    const all = this.edits.flatMap((edit) => edit.own);
    const bound = new Map(
      all.map((step, index) => {
        const context = new PipelineStepContext({ ...about, stepId: step.stepId, index });
        return [step, step.bind(scope, context)] as const;
      }),
    );
    const those = (kind: Edit['kind'], step: StandardStep) => this.edits.filter((edit) => edit.kind === kind && edit.step === step);
    const own = (kind: Edit['kind'], step: StandardStep) => those(kind, step).flatMap((edit) => edit.own);
    const statesOf = (steps: readonly IPipelineStep[]) => steps.map((step) => bound.get(step)!.states);
    const longest = [...bound.values()].reduce((sum, config) => sum + config.longest.toSeconds(), 0);
    const { PREPARE_DATA, TRAIN } = StandardStep;
    return {
      longest: Duration.seconds(longest),
      afterPrepare: [...own('after', PREPARE_DATA), ...own('before', TRAIN), ...own('replace', TRAIN)].map(({ stepId }) => stepId),
      before: (step) => statesOf(own('before', step)),
      after: (step) => statesOf(own('after', step)),
      insteadOf: (step) => {
        const [by] = own('replace', step);
        if (by) return [...statesOf([by]), adopt(scope, step, by)];
        return those('without', step).length > 0 ? [] : undefined;
      },
    };
  }
}

/** Later states find the result of a step that stands in another's place where they look for it. */
const adopt = (scope: Construct, step: StandardStep, { stepId }: IPipelineStep): sfn.Pass =>
  new sfn.Pass(scope, `${stepId}Result`, { inputPath: `$.steps.${stepId}`, resultPath: RESULT_OF[step] });
