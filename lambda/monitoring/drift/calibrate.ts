import { DriftPromise, FEWEST_BLOCKS } from '../../../lib/monitoring/contract';
import { fitScore } from './score';
import type { Block, BlockFeature, Calibration, CalibrationOptions } from './types';
import { promiseSentence } from './words';

const DAY = 86_400;

/**
 * Makes a reference ready: the earlier half of its blocks fixes the score, the later half, never seen by it, says how large the score becomes without
 * drift. Where reference and live windows are exchangeable, a live score exceeds the threshold as often as is promised, whatever the statistic.
 */
export function calibrate(features: readonly BlockFeature[], blocks: readonly Block[], options: CalibrationOptions): Calibration {
  const filled = blocks.filter((block) => block.rows >= options.minimumRows).sort((a, b) => a.start - b.start);
  const half = Math.floor(filled.length / 2);
  const { score } = fitScore(features, filled.slice(0, half));
  const nullScores = judgedScores(filled.slice(half).map((block) => score(block).score), options.persistence);
  const sorted = Float64Array.from(nullScores).sort();
  const promise = promiseOf(half, nullScores.length, options);
  const threshold = promise.advisory ? undefined : thresholdOf(sorted, Math.max(promise.asked, promise.supported));
  return {
    promise,
    ...(threshold !== undefined && { threshold }),
    nullScores,
    score,
    pValue: (judgedScore) => (1 + atLeast(sorted, judgedScore)) / (sorted.length + 1),
  };
}

/** The score that is judged: the k-th largest of the last m windows; -Infinity while there are fewer than k. */
export function judgedScore(lastScores: readonly number[], { breaches, windows }: CalibrationOptions['persistence']): number {
  const largestFirst = lastScores.slice(-windows).sort((a, b) => b - a);
  return largestFirst[breaches - 1] ?? -Infinity;
}

/** Judged scores of consecutive windows; the first ones, which have too few before them, are left out. */
export function judgedScores(scores: readonly number[], persistence: CalibrationOptions['persistence']): number[] {
  return scores.slice(persistence.windows - 1).map((_, index) => judgedScore(scores.slice(index, index + persistence.windows), persistence));
}

function promiseOf(fitBlocks: number, nullBlocks: number, options: CalibrationOptions): DriftPromise {
  const { windowSeconds, falseAlarms, share } = options;
  const windows = (falseAlarms.days * DAY) / windowSeconds;
  const asked = (falseAlarms.episodes * falseAlarms.shares.drift * share) / windows;
  const supported = 1 / (nullBlocks + 1);
  const advisory = nullBlocks < FEWEST_BLOCKS;
  const figures = {
    fitBlocks,
    nullBlocks,
    asked,
    supported,
    episodes: advisory ? 0 : Math.max(asked, supported) * windows,
    days: falseAlarms.days,
    advisory,
  };
  return { ...figures, sentence: promiseSentence(figures, options) };
}

/** As many null scores may lie above as the rate allows: the next one is the threshold. */
function thresholdOf(ascending: Float64Array, rate: number): number {
  const above = Math.floor(rate * (ascending.length + 1) + 1e-9) - 1;
  return above < ascending.length ? ascending[ascending.length - 1 - above] : -Infinity;
}

function atLeast(ascending: Float64Array, score: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] >= score) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return ascending.length - low;
}
