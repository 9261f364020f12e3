import type { Baseline } from '../../lambda/monitoring/baseline/types';
import { judgeDrift } from '../../lambda/monitoring/drift/judge';
import type { JudgedComparison } from '../../lambda/monitoring/drift/types';
import type { BlockTable, Profile } from '../../lambda/monitoring/profile/types';
import { judgeGroups } from '../../lambda/monitoring/quality/groups';
import { judgeQuality } from '../../lambda/monitoring/quality/judge';
import { QualityTable } from '../../lambda/monitoring/quality/table';
import { percent } from '../../lambda/monitoring/words';
import { type DriftVerdict, FEWEST_BLOCKS, type MonitorResult, type MonitorSpec, type ReferenceComparison } from '../../lib/monitoring/contract';

/** One window of the current data beside the reference, by the monitor's own rules, told in the words of a comparison of files. */

export interface JudgeInput {
  readonly spec: MonitorSpec;
  readonly baseline: Baseline;
  readonly blocks: BlockTable;
  readonly window: { readonly start: number; readonly end: number; readonly profile: Profile };
  /** Of all rows of the current data, whatever the windows. */
  readonly quality?: { readonly table: QualityTable; readonly from: number; readonly to: number };
  /** Probability of a false alarm of this one comparison that was asked for. */
  readonly falseAlarm: number;
  readonly names: { readonly reference: string; readonly current: string };
  readonly states: MonitorResult['states'];
  readonly rejected: MonitorResult['rejected'];
  readonly rejectedSamples: MonitorResult['rejectedSamples'];
}

export interface Judged {
  readonly result: MonitorResult;
  readonly comparisons: readonly JudgedComparison[];
}

export function judgeWindow(input: JudgeInput): Judged {
  const { spec, baseline, blocks, window, names } = input;
  const { result: drift, comparisons } = judgeDrift({ spec, baseline, table: blocks, recent: [], window });
  const reworded = comparisons.map((comparison): JudgedComparison => ({ ...comparison, result: inWords(comparison.result, input) }));
  const table = input.quality?.table ?? new QualityTable(spec.task, spec.groupColumns);
  const quality = judgeQuality({
    spec,
    table,
    from: input.quality?.from ?? window.start,
    to: input.quality?.to ?? window.end,
    baseline: input.quality && baseline.holdout,
  });
  const groups = judgeGroups({ spec, table });
  const unasked = 'Not asked for: name truth and prediction with --target and --prediction.';
  const result: MonitorResult = {
    schemaVersion: 2,
    platform: 'none: files compared by mlops drift',
    model: names.current,
    windowStart: new Date(window.start).toISOString(),
    windowEnd: new Date(window.end).toISOString(),
    sources: `${names.current} against ${names.reference}`,
    requests: 0,
    rows: window.profile.rows,
    servedBy: [],
    states: input.states,
    rejected: input.rejected,
    rejectedSamples: input.rejectedSamples,
    drift: {
      ...drift,
      reason: plain(verdictReason(drift.verdict, reworded.map((one) => one.result)) ?? drift.reason),
      comparisons: reworded.map((one) => one.result),
    },
    quality: input.quality ? quality : { ...quality, verdict: 'no-rules', reason: unasked },
    groups: input.quality ? groups : { ...groups, verdict: 'no-rules', reason: unasked },
    constraints: { verdict: 'no-constraints', reason: 'Files are compared without data rules.', source: 'none', violations: [] },
    episodes: [],
    resultUri: 'none',
    reportUri: 'none',
  };
  return { result, comparisons: reworded };
}

const verdictReason = (verdict: DriftVerdict, comparisons: readonly ReferenceComparison[]): string | undefined =>
  comparisons.find((comparison) => comparison.verdict === verdict)?.reason;

/** A comparison by hand promises a share of comparisons, not episodes in days, and knows no training data. */
function inWords(comparison: ReferenceComparison, input: JudgeInput): ReferenceComparison {
  const sentence = promiseOf(comparison, input);
  const reason = plain(comparison.reason.replace(comparison.promise.sentence, sentence));
  return {
    ...comparison,
    sentence: plain(comparison.sentence),
    reason,
    promise: { ...comparison.promise, sentence },
    features: comparison.features.map((feature) => ({ ...feature, reason: plain(feature.reason) })),
  };
}

const plain = (text: string): string =>
  text
    .replaceAll(/\b([Tt])raining data\b/g, (_, letter: string) => (letter === 'T' ? 'Reference' : 'reference'))
    .replaceAll('all of the baseline', 'all of it')
    .replace('No recorded request falls into the window', 'The current data holds no row here');

/** What a verdict of this kind is worth. */
function promiseOf({ promise }: ReferenceComparison, { falseAlarm, blocks }: JudgeInput): string {
  const { fitBlocks, nullBlocks, supported, advisory } = promise;
  const kind = blocks.kind === 'time' ? 'blocks of time' : 'blocks of consecutive rows';
  const there = `The reference gives ${fitBlocks + nullBlocks} ${kind}`;
  if (advisory) {
    return `${there}; ${FEWEST_BLOCKS} are needed beyond those that fit the score: shown for information, never drift.`;
  }
  const rate = Math.max(falseAlarm, supported);
  const most = `without a change at most ${percent(rate)} of such comparisons say drift`;
  const needed = Math.ceil(1 / falseAlarm) - 1;
  return supported <= falseAlarm
    ? `${there}, half of which tell what is usual: ${most}, as asked.`
    : `${there}, half of which tell what is usual: ${most}; ${percent(falseAlarm)} was asked for, which takes ${needed} in that half.`;
}
