import { Token } from 'aws-cdk-lib';
import { MODEL_NAME_PATTERN } from './contract';

/** One thing that cannot be synthesized, as a person needs it. */
export interface Problem {
  /** What must hold. */
  readonly rule: string;
  /** Where it does not: the property, as the caller wrote it. */
  readonly place: string;
  readonly got?: string;
  readonly fix: string;
}

/**
 * Thrown at synth with every problem of one construct in one message.
 *
 * @internal
 */
export class MlOpsValidationError extends Error {
  constructor(where: string, problems: readonly Problem[]) {
    const lines = problems.map(({ rule, place, got, fix }) => `${place}: ${rule}${got === undefined ? '' : `, got ${got}`}; ${fix}`);
    super(`${where}: ${lines.length === 1 ? lines[0] : `${lines.length} problems\n  - ${lines.join('\n  - ')}`}`);
    this.name = 'MlOpsValidationError';
  }
}

/**
 * Collects problems and throws once. Values that are tokens are never judged: they are known only at deploy.
 *
 * @internal
 */
export class Validator {
  private readonly problems: Problem[] = [];

  constructor(private readonly where: string) {}

  public check(holds: boolean, problem: Problem): this {
    if (!holds) this.problems.push(problem);
    return this;
  }

  public pattern(place: string, value: string | undefined, pattern: RegExp, rule: string, fix: string): this {
    if (value === undefined || Token.isUnresolved(value)) return this;
    return this.check(pattern.test(value), { rule, place, got: `'${value}'`, fix });
  }

  /** Names of models and platforms: they stand in keys, events and the names of jobs. */
  public name(place: string, value: string): this {
    return this.pattern(place, value, MODEL_NAME_PATTERN, 'must be letters, digits and hyphens, first a letter, at most 32', 'choose such a name');
  }

  public filled(place: string, value: string | undefined, fix: string): this {
    return this.check(value === undefined || value.trim() !== '', { rule: 'must not be empty', place, got: `'${value}'`, fix });
  }

  public range(place: string, value: number | undefined, minimum: number, maximum: number, fix?: string): this {
    if (value === undefined || Token.isUnresolved(value)) return this;
    return this.check(value >= minimum && value <= maximum, {
      rule: maximum === Infinity ? `must be at least ${minimum}` : `must be between ${minimum} and ${maximum}`,
      place,
      got: String(value),
      fix: fix ?? `choose a value in that range for ${place}`,
    });
  }

  /** Takes over problems found elsewhere, e.g. by an enum-like class that validates when it is bound. */
  public add(problems: readonly Problem[]): this {
    this.problems.push(...problems);
    return this;
  }

  public throwIfAny(): void {
    if (this.problems.length > 0) throw new MlOpsValidationError(this.where, this.problems);
  }
}
