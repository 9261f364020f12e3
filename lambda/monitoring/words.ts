/** Numbers, shares and times as every sentence about a window shows them. */

export const number = (value: number): string => value.toLocaleString('en-US');

/** Of a share: "0.13 %", "12 %", "99.87 %". */
export function percent(share: number): string {
  const value = share * 100;
  return value > 0 && value < 0.01 ? '< 0.01 %' : `${Number(value.toPrecision(value > 99 ? 4 : 2))} %`;
}

/** "1 row", "1,200 rows". */
export const plural = (count: number, noun: string): string => `${number(count)} ${noun}${count === 1 ? '' : 's'}`;

/** "2011-01-03", or "2011-01-03 14:00" where it is not the first moment of a day. */
export function momentOf(time: number): string {
  const iso = new Date(time).toISOString();
  return iso.slice(11, 16) === '00:00' ? iso.slice(0, 10) : `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;
}
