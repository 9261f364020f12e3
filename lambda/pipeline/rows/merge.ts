/** Something in order, one item after the other. */
export interface Run {
  /** Moves to the next item; false behind the last one. */
  next(): boolean;
}

/** Goes through runs in order, as one: `before` says whether the item at hand of one run comes before that of another. */
export class Merge<R extends Run> {
  /** The run with the first item at the root of a binary heap. */
  private readonly heap: R[] = [];

  constructor(
    runs: readonly R[],
    private readonly before: (a: R, b: R) => boolean,
  ) {
    for (const run of runs) if (run.next()) this.heap.push(run);
    for (let at = (this.heap.length >> 1) - 1; at >= 0; at -= 1) this.sink(at);
  }

  /** The run whose item is the next one of all; undefined behind the last one. */
  get first(): R | undefined {
    return this.heap[0];
  }

  /** Leaves the item at hand. */
  advance(): void {
    const { heap } = this;
    if (!heap[0].next()) {
      const last = heap.pop()!;
      if (heap.length === 0) return;
      heap[0] = last;
    }
    this.sink(0);
  }

  private sink(from: number): void {
    const { heap } = this;
    const run = heap[from];
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.before(heap[child + 1], heap[child])) child += 1;
      if (!this.before(heap[child], run)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = run;
  }
}
