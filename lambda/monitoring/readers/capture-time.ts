import { readTime } from '../values';
import { textOf } from './bytes';

const ZERO = 48;
const DAY = 10;

/** Reads the ISO 8601 times of records, most of which are of the same day as the one before. */
export class TimeReader {
  /** Bytes of the day: the first eight, which are compared as one number, and the last two. */
  private month = NaN;
  private day = 0;
  private midnight = NaN;

  /** Milliseconds, undefined where the text is no time. `view` shows the same bytes. */
  public read(bytes: Uint8Array, view: DataView, from: number, to: number): number | undefined {
    // 2026-01-31T23:59:59Z
    if (to - from !== 20 || bytes[from + DAY] !== 84 || bytes[from + 13] !== 58 || bytes[from + 16] !== 58 || bytes[from + 19] !== 90) {
      return readTime(textOf(bytes, from, to));
    }
    if (view.getFloat64(from, true) !== this.month || view.getInt16(from + 8, true) !== this.day) {
      this.month = view.getFloat64(from, true);
      this.day = view.getInt16(from + 8, true);
      this.midnight = readTime(textOf(bytes, from, from + DAY)) ?? NaN;
    }
    const hours = twoDigits(bytes, from + 11, 23);
    const minutes = twoDigits(bytes, from + 14, 59);
    const seconds = twoDigits(bytes, from + 17, 59);
    const time = this.midnight + 1000 * (seconds + 60 * (minutes + 60 * hours));
    return Number.isNaN(time) ? readTime(textOf(bytes, from, to)) : time;
  }
}

function twoDigits(bytes: Uint8Array, from: number, most: number): number {
  const tens = bytes[from] - ZERO;
  const ones = bytes[from + 1] - ZERO;
  return tens >= 0 && ones >= 0 && ones <= 9 && tens * 10 + ones <= most ? tens * 10 + ones : NaN;
}
