/** Numbers and times as every sentence about a window shows them. */

export const number = (value: number): string => value.toLocaleString('en-US');

/** "1 row", "1,200 rows". */
export const plural = (count: number, noun: string): string => `${number(count)} ${noun}${count === 1 ? '' : 's'}`;

/** "2011-01-03", or "2011-01-03 14:00" where it is not the first moment of a day. */
export function momentOf(time: number): string {
  const iso = new Date(time).toISOString();
  return iso.slice(11, 16) === '00:00' ? iso.slice(0, 10) : `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;
}
