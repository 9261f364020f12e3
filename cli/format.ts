import Table from 'cli-table3';
import type { Io } from './io';

const two = (value: number): string => String(value).padStart(2, '0');

/** 2026-03-01 14:05:09 +01:00: local time that names its offset. */
export function localTime(iso: string | Date | undefined): string {
  if (iso === undefined) return '-';
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return String(iso);
  const offset = -time.getTimezoneOffset();
  const [sign, minutes] = [offset < 0 ? '-' : '+', Math.abs(offset)];
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${date} ${clock} ${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** 75 s, 3 min 20 s, 2 h 5 min. */
export function duration(fromIso: string, toIso: string): string {
  const exact = Math.max(0, (Date.parse(toIso) - Date.parse(fromIso)) / 1000);
  if (exact < 10) return `${exact.toFixed(1)} s`;
  const seconds = Math.round(exact);
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const number = (value: number): string => (Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5))));

/** $12.34, $0.0123: cents, and so much more of small sums that they are no zero. */
export const dollars = (value: number): string =>
  value >= 1 || value === 0 ? `$${value.toFixed(2)}` : `$${value >= 0.0001 ? value.toFixed(4) : value.toPrecision(2)}`;

/** `rmse 64.2, mae 41`: the first few, so that a table stays a table. */
export function metrics(values: Readonly<Record<string, number>>, most = 3): string {
  const entries = Object.entries(values);
  const shown = entries.slice(0, most).map(([name, value]) => `${name} ${number(value)}`);
  return [...shown, ...(entries.length > most ? [`${entries.length - most} more`] : [])].join(', ') || '-';
}

export const shorten = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);

const PLAIN = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
  left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ',
};

/** Columns without lines: readable for people, cuttable for programs. */
export function table(io: Io, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const grid = new Table({
    head: head.map((name) => strong(io, name)),
    chars: PLAIN,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  rows.forEach((row) => grid.push([...row]));
  return `${grid.toString().split('\n').map((line) => line.trimEnd()).join('\n')}\n`;
}

/** Name and value, one a line; values that are absent are left out. */
export function fields(io: Io, entries: Readonly<Record<string, string | undefined>>): string {
  const present = Object.entries(entries).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const width = Math.max(0, ...present.map(([name]) => name.length));
  return present.map(([name, value]) => `${strong(io, name.padEnd(width))}  ${value}\n`).join('');
}

const paint = (io: Io, code: string, text: string): string => (io.colours ? `\u001b[${code}m${text}\u001b[0m` : text);
export const strong = (io: Io, text: string): string => paint(io, '1', text);
export const good = (io: Io, text: string): string => paint(io, '32', text);
export const bad = (io: Io, text: string): string => paint(io, '31', text);

const GOOD = new Set(['Production', 'Approved', 'FINISHED', 'promoted', 'running', 'started']);
const BAD = new Set(['Rejected', 'FAILED', 'KILLED', 'failed', 'refused-paused', 'refused-cooldown']);

/** A state in the colour that it deserves. */
export const state = (io: Io, text: string): string => (GOOD.has(text) ? good(io, text) : BAD.has(text) ? bad(io, text) : text);
