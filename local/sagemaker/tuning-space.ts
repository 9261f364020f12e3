import type { HyperParameterTuningJobConfig, ParameterRanges } from '@aws-sdk/client-sagemaker';
import { invalid, unsupported } from './errors';

/** Hyperparameters of one training job: strings, as everywhere. */
export type Point = Record<string, string>;

interface Axis {
  readonly name: string;
  /** The value at a place from 0 to 1. */
  at(place: number): string;
  /** The place of a value. */
  placeOf(value: string): number;
}

const number = (name: string, field: string, text: string): number => {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw invalid(`${field} of the hyperparameter ${name} must be a number, it is "${text}"`);
};

interface Scale {
  readonly up: (value: number) => number;
  readonly down: (value: number) => number;
}

const LINEAR: Scale = { up: (value) => value, down: (value) => value };
const LOGARITHMIC: Scale = { up: Math.log, down: Math.exp };
const REVERSE: Scale = { up: (value) => -Math.log(1 - value), down: (value) => 1 - Math.exp(-value) };

function scaleOf(name: string, type: string | undefined, low: number, high: number): Scale {
  if (type === 'Logarithmic') {
    if (low <= 0) throw invalid(`The hyperparameter ${name} must be greater than 0 for Logarithmic scaling`);
    return LOGARITHMIC;
  }
  if (type === 'ReverseLogarithmic') {
    if (low < 0 || high >= 1) throw invalid(`The hyperparameter ${name} must be from 0 to below 1 for ReverseLogarithmic scaling`);
    return REVERSE;
  }
  return LINEAR;
}

/** The hyperparameters that a tuning job varies. */
export class Space {
  readonly axes: readonly Axis[];
  /** Every combination of a space of categories only. */
  readonly categories?: ReadonlyArray<{ readonly name: string; readonly values: readonly string[] }>;

  constructor(ranges: ParameterRanges, fixed: Readonly<Record<string, string>> = {}) {
    if (ranges.AutoParameters?.length) throw unsupported('AutoParameters of a tuning job');
    const integers = (ranges.IntegerParameterRanges ?? []).map((range) => numeric(range, true));
    const continuous = (ranges.ContinuousParameterRanges ?? []).map((range) => numeric(range, false));
    const categorical = (ranges.CategoricalParameterRanges ?? []).map(({ Name, Values }) => category(Name!, Values!));
    this.axes = [...integers, ...continuous, ...categorical];
    if (this.axes.length === 0) throw invalid('At least one hyperparameter range must be specified');
    if (this.axes.length > 30) throw invalid('The number of hyperparameter ranges exceeds the limit of 30');
    const names = this.axes.map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) !== index || name in fixed);
    if (twice !== undefined) throw invalid(`The hyperparameter ${twice} is specified more than once`);
    if (integers.length + continuous.length === 0) {
      this.categories = (ranges.CategoricalParameterRanges ?? []).map(({ Name, Values }) => ({ name: Name!, values: Values! }));
    }
  }

  random(next: () => number): Point {
    return Object.fromEntries(this.axes.map((axis) => [axis.name, axis.at(next())]));
  }

  /** Near another point, as far away as `spread` of each range. */
  near(point: Point, spread: number, next: () => number): Point {
    const moved = (place: number) => Math.min(1, Math.max(0, place + spread * normal(next)));
    return Object.fromEntries(this.axes.map((axis) => [axis.name, axis.at(moved(axis.placeOf(point[axis.name])))]));
  }

  grid(): Point[] {
    return (this.categories ?? []).reduce<Point[]>(
      (points, { name, values }) => points.flatMap((point) => values.map((value) => ({ ...point, [name]: value }))),
      [{}],
    );
  }
}

function numeric(range: { Name?: string; MinValue?: string; MaxValue?: string; ScalingType?: string }, whole: boolean): Axis {
  const name = range.Name!;
  const [low, high] = [number(name, 'MinValue', range.MinValue!), number(name, 'MaxValue', range.MaxValue!)];
  if (low > high) throw invalid(`MinValue of the hyperparameter ${name} must not be greater than MaxValue`);
  if (whole && !(Number.isInteger(low) && Number.isInteger(high))) throw invalid(`MinValue and MaxValue of ${name} must be integers`);
  const { up, down } = scaleOf(name, range.ScalingType, low, high);
  // Rounding halves the share of both ends: an integer range reaches half a step beyond them where its scale admits it.
  const margin = whole && up === LINEAR.up ? 0.5 : 0;
  const [from, to] = [up(low - margin), up(high + margin)];
  const within = (value: number) => Math.min(high, Math.max(low, whole ? Math.round(value) : value));
  return {
    name,
    at: (place) => String(within(down(from + place * (to - from)))),
    placeOf: (value) => (to === from ? 0 : (up(Number(value)) - from) / (to - from)),
  };
}

const category = (name: string, values: readonly string[]): Axis => ({
  name,
  at: (place) => values[Math.min(values.length - 1, Math.floor(place * values.length))],
  placeOf: (value) => (values.indexOf(value) + 0.5) / values.length,
});

/** Box and Muller. */
const normal = (next: () => number): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());

/** A small generator of numbers from 0 to 1: the same seed gives the same search. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The number of training jobs of a tuning job, and the rules of its strategy. */
export function checkStrategy(config: HyperParameterTuningJobConfig, space: Space): number {
  const { Strategy: strategy, ResourceLimits: limits } = config;
  const jobs = limits!.MaxNumberOfTrainingJobs;
  if (config.StrategyConfig?.HyperbandStrategyConfig && strategy !== 'Hyperband') {
    throw invalid('HyperbandStrategyConfig can only be specified with the strategy Hyperband');
  }
  if (strategy === 'Grid') {
    if (!space.categories) throw invalid('Grid search supports categorical hyperparameter ranges only');
    const combinations = space.grid().length;
    if (jobs !== undefined && jobs !== combinations) {
      throw invalid(`MaxNumberOfTrainingJobs (${jobs}) must be the number of combinations of a grid search (${combinations})`);
    }
    return combinations;
  }
  if (strategy === 'Hyperband') checkHyperband(config);
  if (jobs === undefined) throw invalid(`MaxNumberOfTrainingJobs must be specified with the strategy ${strategy}`);
  return jobs;
}

function checkHyperband(config: HyperParameterTuningJobConfig): void {
  if (config.TrainingJobEarlyStoppingType === 'Auto') throw invalid('TrainingJobEarlyStoppingType must be Off with the strategy Hyperband');
  const { MinResource: least = 1, MaxResource: most } = config.StrategyConfig?.HyperbandStrategyConfig ?? {};
  if (most !== undefined && most < least) throw invalid('MaxResource must not be less than MinResource');
}
