import { Validator } from '../common/validation';
import type { Approval } from '../pipeline/approval';
import { VersionRule as VersionRuleSpec } from './contract';

/** A step of a version that a rule can be about. */
export enum VersionStep {
  /** It may serve. */
  APPROVED = 'Approved',
  /** It may not serve. */
  REJECTED = 'Rejected',
  /** It serves. */
  PRODUCTION = 'Production',
}

/** What a version of a model must have before it takes a step; the registry refuses the step otherwise, naming the rule. */
export class VersionRule {
  /**
   * Another person must take the step than the one who took the step before. Persons are told apart by the name of their session, whatever role they
   * took; a policy or the pipeline is nobody, so a rule about approval is not met by an automatic one. Whoever takes a role chooses the name of the
   * session unless the role's trust policy fixes it (`sts:RoleSessionName`, or a federation that sets it): only then are two names two persons.
   *
   * @param step what needs two persons
   */
  public static twoPersons(step: VersionStep): VersionRule {
    return new VersionRule({ state: step, twoPerson: true });
  }

  /**
   * The step must name evidence: the URI of a report, a ticket, a document.
   *
   * @param step what needs evidence
   */
  public static evidence(step: VersionStep): VersionRule {
    return new VersionRule({ state: step, evidence: true });
  }

  private constructor(private readonly spec: VersionRuleSpec) {}

  /** @internal */
  public _toSpec(): VersionRuleSpec {
    return this.spec;
  }
}

/**
 * Refuses at synth what no version of a pipeline could ever meet.
 *
 * @internal
 */
export const checkRules = (validator: Validator, rules: readonly VersionRule[] | undefined, approval: Approval | undefined): Validator => {
  const alone = (rules ?? []).map((rule) => rule._toSpec()).find(({ state, twoPerson }) => twoPerson && state !== 'Rejected');
  return validator.check(!(approval?._isAutomatic() && alone), {
    rule: 'no two persons take part where a policy approves and the pipeline promotes',
    place: 'registryRules',
    got: `two persons for ${alone?.state} beside Approval.automatic()`,
    fix: 'leave the rule out: a pipeline whose versions a person approves is not available yet',
  });
};
