import { isSmokeRequest, SMOKE_ID_PREFIX } from '../../../lib/serving/contract';
import type { IdHash } from '../profile/requests';
import { hashesOf } from '../profile/requests';
import { timeOfText } from '../profile/time';
import { Rejections } from '../rejections';
import type { Cell, RequestHead, RequestSink, TextRow } from '../rows';
import { readTime } from '../values';
import type { ReadRange, SourceObject } from './sources';
import type { Window } from './windows';

/** Ids of a request; the caller's where it is not the event's own. */
export interface RequestIds {
  readonly event: IdHash;
  readonly inferenceId?: IdHash;
}

/** Hands what happens to whatever object is read at the moment. */
export class SwitchedRejections extends Rejections {
  public target = new Rejections();

  public override add(...entry: Parameters<Rejections['add']>): void {
    this.target.add(...entry);
  }
}

const HOUR = 3_600_000;
const SMOKE = Buffer.from(SMOKE_ID_PREFIX);

/** Whether a request proved a version: its id says so. It is asked of every request, so no text is made of an id that stands in bytes. */
const provesVersion = (head: RequestHead): boolean => {
  const placed = head.inferenceIdAt;
  if (placed === undefined) return isSmokeRequest(head);
  const { bytes, start, end } = placed;
  if (end - start < SMOKE.length) return false;
  for (let index = 0; index < SMOKE.length; index += 1) if (bytes[start + index] !== SMOKE[index]) return false;
  return true;
};

/** Sees every request on its way to whoever counts: what event times an object holds, how many requests each hour sent, and their ids. */
export class RequestWatch implements RequestSink {
  private from = Infinity;
  private to = -Infinity;
  private requested = -Infinity;
  private hours = new Map<number, number>();
  private smokeRequests = 0;

  /** @param timeIndex column of a row's own time, -1 where it is the request's */
  constructor(
    private readonly next: RequestSink,
    private readonly timeIndex: number,
    private readonly window: Window,
    private readonly onIds?: (ids: RequestIds) => void,
  ) {}

  public begin(head: RequestHead, where: string): boolean {
    this.requested = Math.max(this.requested, head.time);
    const hour = Math.floor(head.time / HOUR);
    this.hours.set(hour, (this.hours.get(hour) ?? 0) + 1);
    if (this.timeIndex < 0) this.see(head.time);
    if (provesVersion(head)) {
      // The endpoint counted it, so it counts among those that were recorded; its rows are the holdout's and no traffic.
      this.smokeRequests += this.timeIndex >= 0 || this.isInside(head.time) ? 1 : 0;
      return false;
    }
    // Of requests without a time of their own only those of the window are compared by their ids.
    if (this.onIds !== undefined && (this.timeIndex >= 0 || this.isInside(head.time))) {
      const hashes = hashesOf(head);
      const isOwnId = hashes[0] === hashes[2] && hashes[1] === hashes[3];
      this.onIds({ event: [hashes[0], hashes[1]], ...(!isOwnId && { inferenceId: [hashes[2], hashes[3]] }) });
    }
    return this.next.begin(head, where);
  }

  public text(row: TextRow, prediction: Cell): void {
    if (this.timeIndex >= 0 && this.timeIndex < row.length) this.see(timeOfText(row.bytes, row.starts[this.timeIndex], row.ends[this.timeIndex]));
    this.next.text(row, prediction);
  }

  public cells(row: readonly Cell[], prediction: Cell): void {
    if (this.timeIndex >= 0) this.see(readTime(row[this.timeIndex]) ?? NaN);
    this.next.cells(row, prediction);
  }

  public skip(): void {
    this.next.skip?.();
  }

  /** Requests that proved a version, since the last call. */
  public takeSmokeRequests(): number {
    const count = this.smokeRequests;
    this.smokeRequests = 0;
    return count;
  }

  /** What was seen since the last call. */
  public rangeOf({ key, etag }: SourceObject): ReadRange {
    const { from, to, requested, hours } = this;
    this.from = Infinity;
    this.to = -Infinity;
    this.requested = -Infinity;
    this.hours = new Map();
    return {
      key,
      etag,
      ...(from <= to && { from, to }),
      ...(hours.size > 0 && { requested, hours: Object.fromEntries([...hours].sort(([a], [b]) => a - b)) }),
    };
  }

  private isInside(time: number): boolean {
    return time >= this.window.start && time < this.window.end;
  }

  private see(time: number): void {
    this.from = time < this.from ? time : this.from;
    this.to = time > this.to ? time : this.to;
  }
}
