import { Profiler, timeOfText } from '../../lambda/monitoring/profile';
import type { Profile, WatchedFeature } from '../../lambda/monitoring/profile/types';
import type { Cell, RowSink, TextRow } from '../../lambda/monitoring/rows';
import { readTime } from '../../lambda/monitoring/values';
import { windowStartOf } from '../../lib/monitoring/contract';
import { CliError } from '../errors';

/** Where rows tell their time, and how long the windows are that they are cut into. */
export interface WindowCut {
  /** Index of the time among the columns. */
  readonly column: number;
  readonly windowSeconds: number;
}

export interface WindowProfile {
  /** Undefined where rows have no time. */
  readonly start?: number;
  readonly profile: Profile;
}

/** More windows than these in one comparison are a monitor's work. */
const MOST_WINDOWS = 400;

/** Profiles of rows, one for each window of the grid, or one for all. Rows without a readable time are in none. */
export class WindowProfiles implements RowSink {
  private readonly profilers = new Map<number | undefined, Profiler>();
  private current: Profiler | undefined;
  private from = NaN;
  private to = NaN;

  constructor(
    private readonly watched: readonly WatchedFeature[],
    private readonly cut: WindowCut | undefined,
    private readonly place: string,
  ) {
    if (cut === undefined) {
      this.current = new Profiler(watched);
      this.profilers.set(undefined, this.current);
    }
  }

  public text(row: TextRow): void {
    if (this.cut !== undefined) {
      this.enter(timeOfText(row.bytes, row.starts[this.cut.column], row.ends[this.cut.column]));
    }
    this.current?.text(row);
  }

  public cells(row: readonly Cell[]): void {
    if (this.cut !== undefined) {
      this.enter(readTime(row[this.cut.column]) ?? NaN);
    }
    this.current?.cells(row);
  }

  public prediction(cell: Cell): void {
    this.current?.prediction(cell);
  }

  private enter(time: number): void {
    if (time >= this.from && time < this.to) {
      return;
    }
    if (Number.isNaN(time)) {
      [this.from, this.to, this.current] = [NaN, NaN, undefined];
      return;
    }
    const { windowSeconds } = this.cut!;
    this.from = windowStartOf(time, windowSeconds);
    this.to = this.from + windowSeconds * 1000;
    this.current = this.profilers.get(this.from) ?? new Profiler(this.watched);
    this.profilers.set(this.from, this.current);
    requireFew(this.profilers.size, this.place);
  }

  /** In order of time. */
  public toProfiles(): WindowProfile[] {
    return [...this.profilers].map(([start, profiler]) => ({ start, profile: profiler.toProfile() })).sort(byStart);
  }
}

export const byStart = (a: WindowProfile, b: WindowProfile): number => (a.start ?? 0) - (b.start ?? 0);

export function requireFew(windows: number, place: string): void {
  if (windows > MOST_WINDOWS) {
    throw new CliError(`${place} holds more than ${MOST_WINDOWS} windows of this length`, 'choose a longer --window');
  }
}
