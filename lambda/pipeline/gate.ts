import type { GateSpec } from '../../lib/pipeline/contract';
import { figuresOfHoldout, type Judged, valuesOf } from './evaluation/evaluate';
import type { ScoredHoldout } from './evaluation/scored-holdout';
import { judgeChampion } from './gate/champion';
import { judgeBound, judgeDuplicates, judgeGroup, judgeSize, judgeTime, judgeTimeOrder } from './gate/rules';
import type { GateDecision, GateEvidence, RuleResult } from './gate/types';

/**
 * Judges a candidate by every rule of its gate. A figure that cannot be computed is no pass: its rule says why.
 *
 * @param seed of the resamples: the same seed gives the same decision
 */
export const decide = (
  spec: GateSpec,
  holdout: ScoredHoldout,
  evidence: GateEvidence,
  seed: number,
  judged: Judged = figuresOfHoldout(holdout),
): GateDecision => {
  const rules: RuleResult[] = [
    judgeChampion(spec, judged, holdout.blocks, seed),
    ...spec.bounds.map((bound) => judgeBound(bound, judged)),
    ...spec.groups.map((group) => judgeGroup(group, holdout)),
    ...(spec.maximumMillisecondsPerRow === undefined ? [] : [judgeTime(spec.maximumMillisecondsPerRow, holdout.rows, evidence)]),
    ...(spec.maximumModelBytes === undefined ? [] : [judgeSize(spec.maximumModelBytes, evidence)]),
    ...(holdout.blocks.unit === 'day' ? [judgeTimeOrder(evidence.leakage.candidate, holdout.from)] : []),
    judgeDuplicates('candidate', evidence.leakage.candidate, spec.allowedDuplicateShare),
    ...(holdout.champion ? [judgeDuplicates('champion', evidence.leakage.champion, spec.allowedDuplicateShare)] : []),
  ];
  const broken = rules.filter(({ passed }) => !passed);
  return {
    passed: broken.length === 0,
    reason: reasonOf(rules),
    rows: holdout.rows,
    blocks: holdout.blocks,
    metrics: valuesOf(judged.candidate.metrics),
    ...(judged.champion && { championMetrics: valuesOf(judged.champion.metrics) }),
    rules,
  };
};

/** What is broken; where nothing is, what was measured, and what could not be checked. */
const reasonOf = (rules: readonly RuleResult[]): string => {
  const broken = rules.filter(({ passed }) => !passed);
  const measured = rules.filter(({ rule, verdict }) => verdict === 'warning' || !(rule === 'time-order' || rule.startsWith('duplicates')));
  return (broken.length > 0 ? broken : measured).map(({ text }) => text).join('; ');
};
