import { MlOpsValidationError, Validator } from '../../../lib/common/validation';
import { Approval } from '../../../lib/pipeline/approval/approval';
import { checkRules, VersionRule, VersionStep } from '../../../lib/registry/version-rule';

const check = (...rules: VersionRule[]): void => checkRules(new Validator('here'), rules, Approval.automatic()).throwIfAny();

test('rules name the step and what it needs', () => {
  expect(VersionRule.twoPersons(VersionStep.PRODUCTION)._toSpec()).toEqual({ state: 'Production', twoPerson: true });
  expect(VersionRule.evidence(VersionStep.APPROVED)._toSpec()).toEqual({ state: 'Approved', evidence: true });
});

test('two persons are refused at synth where nobody but a policy and the pipeline takes part', () => {
  expect(() => check(VersionRule.twoPersons(VersionStep.APPROVED))).toThrow(MlOpsValidationError);
  expect(() => check(VersionRule.twoPersons(VersionStep.PRODUCTION))).toThrow(/two persons for Production beside Approval.automatic\(\)/);
  expect(() => check(VersionRule.evidence(VersionStep.APPROVED), VersionRule.twoPersons(VersionStep.REJECTED))).not.toThrow();
  expect(() => checkRules(new Validator('here'), [VersionRule.twoPersons(VersionStep.APPROVED)], undefined).throwIfAny()).not.toThrow();
});
