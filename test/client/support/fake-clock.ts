/** A clock that stands still until it is told to go on, and its timers. */
interface Timer {
  readonly dueAt: number;
  readonly callback: () => void;
}

export class FakeClock {
  #now = 1_700_000_000_000;
  readonly #timers = new Map<number, Timer>();
  #nextId = 1;

  readonly now = (): number => this.#now;

  readonly setTimeout = (callback: () => void, ms: number): unknown => {
    const id = this.#nextId++;
    this.#timers.set(id, { dueAt: this.#now + ms, callback });
    return id;
  };

  readonly clearTimeout = (id: unknown): void => {
    if (typeof id === 'number') this.#timers.delete(id);
  };

  get pending(): number {
    return this.#timers.size;
  }

  /** Lets `ms` pass: each timer is called when it is due, and what it awaits goes on. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.dueAt);
      next.callback();
      await settle();
    }
    this.#now = end;
  }

  /** A sleep: the time is later (or earlier), and timers that became due are called only now. */
  async jump(ms: number): Promise<void> {
    const before = this.#now;
    this.#now += ms;
    for (const [id, timer] of [...this.#timers]) {
      // Timers run on time since boot: a clock that is set back does not delay them.
      if (ms < 0) this.#timers.set(id, { ...timer, dueAt: timer.dueAt - before + this.#now });
    }
    await this.advance(0);
  }

  #next(end: number): Timer | undefined {
    let found: [number, Timer] | undefined;
    for (const entry of this.#timers) {
      if (entry[1].dueAt <= end && (found === undefined || entry[1].dueAt < found[1].dueAt)) {
        found = entry;
      }
    }
    if (found !== undefined) this.#timers.delete(found[0]);
    return found?.[1];
  }
}

/** Lets everything go on that awaits nothing but promises. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
}
