import type { DriftVerdict, FeatureResult, MonitorResult, MonitorSpec, ReferenceComparison } from '../../../lib/monitoring/contract';
import type { Baseline, BaselineFeature } from '../baseline/types';
import { toBlockCells } from '../profile/cells';
import type { BlockCells, BlockTable, Counts, Profile } from '../profile/types';
import { calibrate, judgedScore } from './calibrate';
import { compareCounts } from './compare';
import { comparisonReason, driftReason, featureReason, Judgement } from './reasons';
import { ChosenReference, chooseReference, judgedTogether, optionsFor, WindowTimes } from './reference';
import { countingScore, FeatureScore, sumOf } from './score';
import type { Block, Calibration, CalibrationOptions, FeatureChart, JudgedComparison } from './types';

export interface DriftInput {
  readonly spec: MonitorSpec;
  readonly baseline: Baseline;
  readonly table: BlockTable;
  /**
   * Stored windows under this baseline, oldest first, that end at or before the window's start: those that `judgedTogether` picks, and before them
   * those that a reference looks at (LAST_DAYS, FIXED).
   */
  readonly recent: readonly Block[];
  readonly window: WindowTimes & { readonly profile: Profile };
}

type Watched = BaselineFeature & { readonly role: 'feature' | 'prediction' };

/** Compares a window with each reference of the monitor. */
export function judgeDrift(input: DriftInput): { result: MonitorResult['drift']; comparisons: JudgedComparison[] } {
  const { spec, baseline, table, recent, window } = input;
  const watched = (baseline.features as readonly Watched[]).filter(({ role }) => role === 'feature' || role === 'prediction');
  const chosen = spec.references.map((reference) => chooseReference(reference, spec, table, recent, window));
  const options = optionsFor(spec, chosen);
  const block = blockOf(window, watched);
  const comparisons = chosen.map((each): JudgedComparison => {
    const judgement = judge(each, calibrationOf(table, watched, each, options(each)), input, block);
    return compared(judgement, watched, input);
  });
  const verdict = overall(comparisons.map(({ result }) => result.verdict));
  const absent = watched
    .filter(({ name }) => !window.profile.features.has(name))
    .map(({ name }) => ({ name, reason: 'The window was not counted for it.' }));
  const result = {
    verdict,
    reason: driftReason(verdict, comparisons.map((each) => each.result), window.profile.rows, spec),
    comparisons: comparisons.map((each) => each.result),
    skipped: [...baseline.skipped, ...absent],
  };
  return { result, comparisons };
}

/** Counters of a window as a block, in the form in which windows are stored for later ones. */
export function blockOf(window: { readonly start: number; readonly profile: Profile }, features: readonly BaselineFeature[]): Block {
  const cells = new Map<string, BlockCells>();
  for (const { name, shape } of features) {
    const counts = window.profile.features.get(name);
    if (counts !== undefined && counts.rows > 0) {
      cells.set(name, toBlockCells(shape, counts));
    }
  }
  return { start: window.start, rows: window.profile.rows, cells };
}

const calibrations = new WeakMap<BlockTable, Map<string, Calibration>>();

/** References that lie in the baseline are the same for many windows, and made ready once. */
function calibrationOf(table: BlockTable, features: readonly Watched[], chosen: ChosenReference, options: CalibrationOptions): Calibration {
  if (!chosen.fixed) {
    return calibrate(features, chosen.blocks, options);
  }
  const made = calibrations.get(table) ?? new Map<string, Calibration>();
  calibrations.set(table, made);
  const key = JSON.stringify([options, chosen.blocks.map(({ start }) => start), features.map(({ name }) => name)]);
  const calibration = made.get(key) ?? calibrate(features, chosen.blocks, options);
  made.set(key, calibration);
  return calibration;
}

function judge(chosen: ChosenReference, calibration: Calibration, { spec, recent, window }: DriftInput, block: Block): Judgement {
  const scores = [...judgedTogether(spec, recent, window), block].map((each) => calibration.score(each));
  const judged = judgedScore(scores.map(({ score }) => score), spec.persistence);
  const common = { chosen, calibration, own: scores[scores.length - 1], scores, judged };
  if (block.rows < spec.minimumRows) {
    return { ...common, verdict: block.rows === 0 ? 'no-traffic' : 'insufficient-data' };
  }
  const { threshold } = calibration;
  return { ...common, verdict: threshold === undefined ? 'advisory' : judged > threshold ? 'drift' : 'ok' };
}

function overall(verdicts: readonly DriftVerdict[]): DriftVerdict {
  const [first = 'no-baseline'] = verdicts;
  if (first === 'no-traffic' || first === 'insufficient-data') {
    return first;
  }
  return verdicts.includes('drift') ? 'drift' : verdicts.includes('ok') ? 'ok' : first;
}

function compared(judgement: Judgement, watched: readonly Watched[], { spec, window }: DriftInput): JudgedComparison {
  const { chosen, calibration, own, judged, verdict } = judgement;
  const enough = verdict !== 'no-traffic' && verdict !== 'insufficient-data';
  const charts = new Map<string, FeatureChart>();
  const features: FeatureResult[] = [];
  for (const feature of verdict === 'no-traffic' ? [] : watched) {
    const counts = window.profile.features.get(feature.name);
    if (counts !== undefined) {
      const reference = referenceOf(feature, chosen);
      charts.set(feature.name, { shape: feature.shape, ...(reference && { reference }), window: counts });
      features.push(featureResult(feature, reference, counts, judgement, enough ? own.features.get(feature.name) : undefined, spec));
    }
  }
  const rank = ({ score, drifted, effect = 0, minimumEffect = 1 }: FeatureResult): number =>
    (drifted ? 2e9 : effect >= minimumEffect ? 1e9 : 0) + Math.max(-1e8, Math.min(1e8, score ?? -1e8));
  const result: ReferenceComparison = {
    reference: chosen.reference,
    sentence: chosen.sentence,
    promise: calibration.promise,
    verdict,
    reason: comparisonReason(judgement, window.profile.rows, spec),
    ...(enough && Number.isFinite(own.score) && { score: own.score }),
    ...(enough && Number.isFinite(judged) && { judgedScore: judged }),
    ...(Number.isFinite(calibration.threshold) && { threshold: calibration.threshold }),
    ...(enough && calibration.nullScores.length > 0 && { pValue: calibration.pValue(judged) }),
    features: features.sort((a, b) => rank(b) - rank(a) || (a.name < b.name ? -1 : 1)),
  };
  return { result, charts };
}

/** All training rows, where these are the reference (of predictions all holdout rows), else the sum of the blocks. */
function referenceOf(feature: Watched, chosen: ChosenReference): Counts | BlockCells | undefined {
  if (chosen.reference.kind === 'TRAINING') {
    return feature.counts;
  }
  const known = chosen.blocks.map((block) => block.cells.get(feature.name)).filter((cells) => cells !== undefined);
  return known.length === 0 ? undefined : sumOf(known);
}

function featureResult(
  feature: Watched,
  reference: Counts | BlockCells | undefined,
  counts: Counts,
  { calibration, verdict }: Judgement,
  score: FeatureScore | undefined,
  spec: MonitorSpec,
): FeatureResult {
  const figures = compareCounts(feature.shape, reference, counts);
  const { threshold } = calibration;
  const fitted = calibration.promise.fitBlocks > 0;
  const exceeds = score !== undefined && threshold !== undefined && countingScore(score) > threshold;
  return {
    name: feature.name,
    role: feature.role,
    kind: feature.shape.kind,
    drifted: verdict === 'drift' && exceeds,
    ...score,
    ...(feature.importance !== undefined && { importance: feature.importance }),
    ...figures,
    reason: featureReason({ figures, score, threshold, exceeds, verdict, reference, window: counts, fitted }, spec),
  };
}

