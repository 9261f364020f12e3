import type { Rejections } from '../rejections';
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
