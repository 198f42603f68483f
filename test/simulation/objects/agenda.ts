/** The virtual clock of a life, and everything that is to happen, in the order of its time. */

export interface Planned {
  /** Unix ms. */
  readonly at: number;
  /** Tells apart what happens at one time. */
  readonly order: number;
  readonly act: () => Promise<void> | void;
  isDropped: boolean;
}

export class Agenda {
  #now = 1_700_000_000_000;
  #orders = 0;
  /** A heap: the soonest is first. */
  readonly #planned: Planned[] = [];

  readonly now = (): number => this.#now;

  plan(after: number, act: () => Promise<void> | void): Planned {
    const planned = { at: this.#now + after, order: this.#orders++, act, isDropped: false };
    this.#rise(planned);
    return planned;
  }

  /** Lets time pass to what is next before `until`, and takes it; undefined when nothing is. */
  next(until: number): Planned | undefined {
    for (;;) {
      const first = this.#planned[0];
      if (first === undefined || first.at > until) {
        this.#now = until;
        return undefined;
      }
      this.#removeFirst();
      if (first.isDropped) continue;
      this.#now = Math.max(this.#now, first.at);
      return first;
    }
  }

  #rise(planned: Planned): void {
    const heap = this.#planned;
    let index = heap.length;
    while (index > 0) {
      const above = (index - 1) >>> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(planned, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = planned;
  }

  #removeFirst(): void {
    const heap = this.#planned;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      let child = heap[below];
      const other = heap[below + 1];
      if (child === undefined) break;
      if (other !== undefined && isBefore(other, child)) {
        child = other;
        below++;
      }
      if (!isBefore(child, last)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = last;
  }
}

function isBefore(one: Planned, other: Planned): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
