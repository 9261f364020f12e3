import { isAscii, isUtf8 } from 'node:buffer';
import type { Rejections } from '../rejections';
import { textOf } from './bytes';
import { LINE_LIMIT_NAME } from './feeder';

const NEWLINE = 10;

/** Counts lines and rejects them by cause. */
export class LineRejections {
  /** Number of the line that is read, from 1. */
  public line = 0;

  constructor(
    private readonly where: string,
    private readonly rejections: Rejections,
  ) {}

  public get place(): string {
    return `${this.where} line ${this.line}`;
  }

  public toString(): string {
    return this.place;
  }

  public reject(cause: string, why: string): void {
    this.rejections.add(cause, this.place, why);
  }

  public tooLong(): void {
    this.line += 1;
    this.reject('line-too-long', `the line has more than ${LINE_LIMIT_NAME}`);
  }

  /** Index of the newline, -1 where there is none. */
  public end(bytes: Uint8Array, from: number, to: number): number {
    const newline = bytes.indexOf(NEWLINE, from);
    return newline < to ? newline : -1;
  }
}

/** Whether there is nothing but white space. */
export function isBlankLine(bytes: Uint8Array, from: number, to: number): boolean {
  for (let index = from; index < to; index += 1) {
    if (bytes[index] !== 32 && bytes[index] !== 9 && bytes[index] !== 13) {
      return false;
    }
  }
  return true;
}

export interface WholeLines {
  /** The bytes up to where they were given. */
  readonly region: Buffer;
  /** Index of the last newline. */
  readonly last: number;
  readonly isAscii: boolean;
  /** Whether all lines are UTF-8; else each has to be looked at. */
  readonly isText: boolean;
}

/** Whole lines of `bytes[from … to)`; undefined where none ends there. */
export function wholeLinesOf(bytes: Uint8Array, from: number, to: number): WholeLines | undefined {
  const region = Buffer.from(bytes.buffer, bytes.byteOffset, to);
  const last = region.lastIndexOf(NEWLINE);
  if (last < from) {
    return undefined;
  }
  const ascii = isAscii(region);
  return { region, last, isAscii: ascii, isText: ascii || isUtf8(region.subarray(from, last)) };
}

export const NOT_UTF8 = Symbol('not UTF-8');

/** Value of a line of JSON; undefined where it is none, `NOT_UTF8` where it is no text. `isText`: that it is, is known. */
export function parseLine(bytes: Uint8Array, start: number, end: number, isText: boolean): unknown {
  if (!isText && !isUtf8(bytes.subarray(start, end))) {
    return NOT_UTF8;
  }
  try {
    return JSON.parse(textOf(bytes, start, end));
  } catch {
    return undefined;
  }
}
