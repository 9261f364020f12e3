import { HIGHER_IS_BETTER, TASK_METRICS, TaskSpec } from '../common/contract';
import { Validator } from '../common/validation';
import { GateSpec } from './contract';
import { BeatsChampionOptions, NotWorseThanChampionOptions } from './gate-options';
import { gateSpec } from './gate-spec';

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
    return new Gate(gateSpec(options, minimumImprovement, validator));
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
    return new Gate(gateSpec(options, -margin, validator));
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
      place: 'training.holdout',
      got: `${holdoutDays} days`,
      fix: 'hold out more days, ask for fewer blocks, or let fewBlocks widen the interval',
    });
    return this.spec;
  }
}
