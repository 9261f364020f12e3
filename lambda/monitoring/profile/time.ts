import { textOf } from '../readers/bytes';
import { readTime } from '../values';

const DAY = 86_400_000;

/** Milliseconds of an ISO 8601 time in UTF-8 text, as `readTime` reads it; NaN where it is none. */
export function timeOfText(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const plain = length === 10 || length === 19 || (length === 20 && bytes[end - 1] === 90);
  const time = plain ? quick(bytes, start, length) : NaN;
  return time === time ? time : (readTime(textOf(bytes, start, end)) ?? NaN);
}

/** `YYYY-MM-DD`, also followed by `THH:MM:SS`; NaN where it is anything else, or a day that not every month has. */
function quick(bytes: Uint8Array, start: number, length: number): number {
  const year = pair(bytes, start) * 100 + pair(bytes, start + 2);
  const month = pair(bytes, start + 5);
  const day = pair(bytes, start + 8);
  if (!(bytes[start + 4] === 45 && bytes[start + 7] === 45 && month >= 1 && month <= 12 && day >= 1 && day <= 28)) {
    return NaN;
  }
  const date = daysTo(year, month, day) * DAY;
  if (length === 10) {
    return date;
  }
  const between = bytes[start + 10];
  const [hours, minutes, seconds] = [pair(bytes, start + 11), pair(bytes, start + 14), pair(bytes, start + 17)];
  const written = (between === 84 || between === 32) && bytes[start + 13] === 58 && bytes[start + 16] === 58;
  return written && hours < 24 && minutes < 60 && seconds < 60 ? date + ((hours * 60 + minutes) * 60 + seconds) * 1000 : NaN;
}

const pair = (bytes: Uint8Array, at: number): number => {
  const tens = bytes[at] - 48;
  const ones = bytes[at + 1] - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
};

/** Days from 1970 of a day of the Gregorian calendar. */
const daysTo = (year: number, month: number, day: number): number => {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
};
