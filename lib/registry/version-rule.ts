import { Validator } from '../common/validation';
import type { Approval } from '../pipeline/approval/approval';
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
   * Another person must take the step than the one who took the step before; approval of a pipeline's versions by two persons is
   * `Approval.twoPerson()`. Persons are told apart by the name of their session, whatever role they
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
 * All rules that the registry keeps for a pipeline's model: how its versions are approved is one of them.
 *
 * @internal
 */
export const statedRules = (rules: readonly VersionRule[] | undefined, approval: Approval | undefined): VersionRuleSpec[] => [
  ...(rules ?? []).map((rule) => rule._toSpec()),
  ...(approval?._toRules() ?? []),
];

/**
 * Refuses at synth what no version of a pipeline could ever meet.
 *
 * @internal
 */
export const checkRules = (validator: Validator, rules: readonly VersionRule[] | undefined, approval: Approval | undefined): Validator => {
  const twoPersons = (rules ?? []).map((rule) => rule._toSpec()).filter(({ twoPerson }) => twoPerson);
  const alone = twoPersons.find(({ state }) => state !== VersionStep.REJECTED);
  const automatic = approval?._isAutomatic() ?? false;
  return validator
    .check(!(automatic && alone), {
      rule: 'no two persons take part where a policy approves and the pipeline promotes',
      place: 'registryRules',
      got: `two persons for ${alone?.state} beside Approval.automatic()`,
      fix: 'use Approval.twoPerson()',
    })
    .check(approval === undefined || automatic || !twoPersons.some(({ state }) => state === VersionStep.APPROVED), {
      rule: 'the approval says how many persons approve',
      place: 'registryRules',
      got: `two persons for ${VersionStep.APPROVED} beside an approval by persons`,
      fix: 'leave the rule out and use Approval.twoPerson()',
    })
    .check(approval === undefined || automatic || !twoPersons.some(({ state }) => state === VersionStep.REJECTED), {
      rule: 'an approval that nobody gave in time rejects the version, and no person takes part in that',
      place: 'registryRules',
      got: `two persons for ${VersionStep.REJECTED} beside an approval that expires`,
      fix: 'leave the rule out',
    });
};
