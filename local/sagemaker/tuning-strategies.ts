import type { HyperParameterTuningJobConfig } from '@aws-sdk/client-sagemaker';
import { type Point, Space, generator } from './tuning-space';

/** What has come out of one training job so far; higher scores are better, whichever way the objective goes. */
export interface Trial {
  readonly point: Point;
  /** Every value of the objective in the order of the log. */
  readonly scores: number[];
  /** Of the last value, once the job has ended with one. */
  score?: number;
  completed: boolean;
}

export interface Search {
  /** The next point, undefined where there is none left. */
  next(trials: readonly Trial[]): Point | undefined;
  /** Whether a running trial is not worth going on with. */
  hopeless(trial: Trial, trials: readonly Trial[]): boolean;
}

const FIRST_RANDOM = 3;
const WIDEST_SPREAD = 0.3;
const NARROWEST_SPREAD = 0.05;
const REDUCTION = 3;

export function searchOf(config: HyperParameterTuningJobConfig, space: Space): Search {
  const random = generator(config.RandomSeed ?? Math.floor(Math.random() * 2 ** 32));
  const early = config.TrainingJobEarlyStoppingType === 'Auto' ? belowMedian : () => false;
  if (config.Strategy === 'Grid') {
    const left = space.grid();
    return { next: () => left.shift(), hopeless: early };
  }
  if (config.Strategy === 'Bayesian') return { next: (trials) => aroundTheBest(space, trials, random), hopeless: early };
  if (config.Strategy === 'Hyperband') {
    const least = config.StrategyConfig?.HyperbandStrategyConfig?.MinResource ?? 1;
    return { next: () => space.random(random), hopeless: (trial, trials) => behindItsRung(trial, trials, least) };
  }
  return { next: () => space.random(random), hopeless: early };
}

/** Every third point stays random; the others lie around the best so far, ever closer. No model of the objective is made. */
function aroundTheBest(space: Space, trials: readonly Trial[], random: () => number): Point {
  const judged = trials.filter(({ score }) => score !== undefined);
  if (judged.length < FIRST_RANDOM || trials.length % FIRST_RANDOM === 0) return space.random(random);
  const best = judged.reduce((found, trial) => (trial.score! > found.score! ? trial : found));
  return space.near(best.point, Math.max(NARROWEST_SPREAD, WIDEST_SPREAD / Math.sqrt(judged.length)), random);
}

/** SageMaker's rule: worse than the median of the running averages that completed jobs had at the same step. */
function belowMedian(trial: Trial, trials: readonly Trial[]): boolean {
  const step = trial.scores.length;
  const averages = trials
    .filter((other) => other.completed && other.scores.length >= step && other !== trial)
    .map(({ scores }) => scores.slice(0, step).reduce((sum, score) => sum + score, 0) / step);
  return averages.length > 0 && step > 0 && trial.scores[step - 1] < median(averages);
}

/** Successive halving without waiting for others: at steps least, 3 least, 9 least... only the best third of those that came so far goes on. */
function behindItsRung(trial: Trial, trials: readonly Trial[], least: number): boolean {
  const step = trial.scores.length;
  const rung = Math.log(step / least) / Math.log(REDUCTION);
  if (step < least || Math.abs(rung - Math.round(rung)) > 1e-9) return false;
  const there = trials.filter(({ scores }) => scores.length >= step).map(({ scores }) => scores[step - 1]);
  const better = there.filter((score) => score > trial.scores[step - 1]).length;
  return there.length >= REDUCTION && better >= Math.ceil(there.length / REDUCTION);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
