import { ALLOWED_TRANSITIONS, HistoryEntry, REGISTRY_ERRORS, REQUIRED_ITEMS, VersionRecord, VersionState } from '../../lib/registry/contract';
import { NamedError } from '../common/errors';
import type { ModelRow, VersionRow } from './records';
import type { Change } from './registry-writes';

/** Action of the history for a transition; Production is reached only through a promotion. */
const ACTIONS: Readonly<Partial<Record<VersionState, HistoryEntry['action']>>> = {
  PendingApproval: 'Completed',
  Approved: 'Approved',
  Rejected: 'Rejected',
  Archived: 'Archived',
};

export const illegal = (message: string): NamedError => new NamedError(REGISTRY_ERRORS.illegalTransition, message);
export const forbidden = (message: string): NamedError => new NamedError(REGISTRY_ERRORS.forbidden, message);

/** Items of REQUIRED_ITEMS that a record lacks; an empty text is as good as none. */
export const missingItems = (record: Partial<VersionRecord>): string[] =>
  REQUIRED_ITEMS.filter((item) => record[item] === undefined || record[item] === null || record[item] === '');

/** Where a version begins. What failed its gate is kept as rejected: what was refused, and why, stays on record. */
export const firstState = (record: Partial<VersionRecord>): VersionState => {
  if (record.gate?.passed === false) return 'Rejected';
  return missingItems(record).length > 0 ? 'Incomplete' : 'PendingApproval';
};

const called = (model: ModelRow, version: VersionRow): string => `${model.name} v${version.version}`;

const requireComplete = (model: ModelRow, version: VersionRow): void => {
  const missing = missingItems(version.record);
  if (!model.managed || missing.length === 0) return;
  throw new NamedError(REGISTRY_ERRORS.incomplete, `${called(model, version)} cannot serve: its record lacks ${missing.join(', ')}`);
};

export const assertAllowed = (model: ModelRow, version: VersionRow, to: VersionState): void => {
  if (version.state === 'Incomplete' && to !== 'Rejected' && to !== 'Archived') requireComplete(model, version);
  if (ALLOWED_TRANSITIONS[version.state].includes(to)) return;
  const allowed = ALLOWED_TRANSITIONS[version.state].join(', ');
  throw illegal(`${called(model, version)} is ${version.state} and cannot become ${to}; allowed from here: ${allowed}`);
};

/** Action of a transition that is no promotion. */
export const transitionAction = (model: ModelRow, version: VersionRow, to: VersionState): HistoryEntry['action'] => {
  if (to === 'PendingApproval' && version.state === 'Approved') {
    throw illegal(`${called(model, version)} is Approved: only another judgement by its pipeline lets it wait again`);
  }
  const action = ACTIONS[to];
  if (!action || version.state === 'Production') {
    const why = 'only a promotion moves a version to or from Production';
    throw illegal(`${called(model, version)} is ${version.state} and cannot become ${to}: ${why}`);
  }
  return action;
};

/** A policy or the pipeline itself is nobody: only a session of a person's or a program's role is. */
export const isIdentity = (actor: string): boolean => actor.startsWith('arn:');

/** Sessions carry the person's name last: the same name behind another role is the same person. */
export const samePerson = (one: string, other: string): boolean => one === other || one.split('/').at(-1) === other.split('/').at(-1);

/** Rules of the model for the step; the message names the rule. */
export const assertRules = (model: ModelRow, version: VersionRow, to: VersionState, { actor, evidenceUri }: Change): void => {
  const step = `${called(model, version)} cannot become ${to}`;
  for (const rule of (model.rules ?? []).filter(({ state }) => state === to)) {
    if (rule.evidence && !evidenceUri) throw forbidden(`${step}: the rule "evidence for ${to}" of ${model.name} asks for the URI of evidence`);
    if (rule.person && !isIdentity(actor)) {
      throw forbidden(`${step}: the rule "a person for ${to}" of ${model.name} asks for a person; ${actor} is none`);
    }
    // Approval has approvers, who may be several.
    if (!rule.twoPerson || to === 'Approved') continue;
    const name = `"two persons for ${to}"`;
    if (samePerson(version.stepBy, actor)) {
      throw forbidden(`${step}: the rule ${name} of ${model.name} asks for somebody else than ${version.stepBy}, who took the step before`);
    }
    // A promotion is carried out by the pipeline; that another identity approved before it is what the rule asks for there.
    if (!isIdentity(actor) && !isIdentity(version.stepBy)) {
      throw forbidden(`${step}: the rule ${name} of ${model.name} asks for a person; ${actor} is none`);
    }
  }
};

/** Who has approved with this step, and whether that is enough under the rules of the model. */
export const approvalBy = (
  model: ModelRow,
  version: VersionRow,
  actor: string,
): { readonly approvedBy: readonly string[]; readonly enough: boolean } => {
  const { approval, stepBy } = version;
  const earlier = approval?.approvedBy ?? [];
  const approvedBy = earlier.some((one) => samePerson(one, actor)) ? earlier : [...earlier, actor];
  if (!model.rules?.some(({ state, twoPerson }) => state === 'Approved' && twoPerson)) return { approvedBy, enough: true };
  const refused = `${called(model, version)} cannot become Approved: the rule "two persons for Approved" of ${model.name} asks for`;
  if (!isIdentity(actor)) throw forbidden(`${refused} a person; ${actor} is none`);
  if (version.byPipeline && !approval) throw forbidden(`${refused} persons, and its run has not asked any yet`);
  const first = [
    { who: stepBy, did: 'took the step before' },
    { who: approval?.startedBy ?? '', did: 'started the run' },
  ].filter(({ who }) => isIdentity(who));
  for (const { who, did } of first) if (samePerson(who, actor)) throw forbidden(`${refused} somebody else than ${who}, who ${did}`);
  return { approvedBy, enough: approvedBy.length >= (first.length > 0 ? 1 : 2) };
};

/** What its pipeline made must have passed its gate. */
export const assertPassed = (model: ModelRow, version: VersionRow): void => {
  if (!version.byPipeline || version.record.gate?.passed) return;
  throw forbidden(`${called(model, version)} cannot serve: the rule "what serves has passed its gate" holds, and its record has no passed gate`);
};

/** What may become the champion of a pipeline's model. */
export const assertServable = (model: ModelRow, version: VersionRow): void => {
  if (!model.managed) return;
  if (!version.byPipeline) {
    const rule = `"only what its pipeline registered serves" holds for ${model.name}, and this came from elsewhere`;
    throw forbidden(`${called(model, version)} cannot serve: ${rule}`);
  }
  requireComplete(model, version);
  assertPassed(model, version);
};
