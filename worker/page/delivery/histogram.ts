/**
 * Durations of the last ten seconds, in classes that grow with them: a class is a fifth wider than the one
 * before, so a quantile is right to a tenth, and the memory is the same for any number of them.
 */
import { RecentSlots } from './recent-slots.ts';

const CLASSES = 72;
const GROWTH = 1.2;
/** The end of the first class, ms. The last ends at four minutes. */
const FIRST_MS = 0.5;
const SLOT_MS = 1_000;
const SLOTS = 10;

/** Where the bars that are drawn end, ms; the last has no end. */
export const BAR_ENDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000] as const;

export class Histogram {
  readonly #counts = Array.from({ length: SLOTS }, () => new Uint32Array(CLASSES));
  readonly #slots = new RecentSlots(SLOTS, SLOT_MS, (index) => this.#counts[index]?.fill(0));

  /** @param ms a duration; a negative one, as clocks that differ make it, counts as none. */
  add(ms: number, now: number): void {
    const counts = this.#counts[this.#slots.turnTo(now)];
    const index = classOf(ms);
    if (counts !== undefined) counts[index] = (counts[index] ?? 0) + 1;
  }

  summary(now: number): Summary {
    this.#slots.turnTo(now);
    const counts = new Uint32Array(CLASSES);
    for (const slot of this.#counts) {
      for (const [index, count] of slot.entries()) counts[index] = (counts[index] ?? 0) + count;
    }
    return new Summary(counts);
  }
}

export class Summary {
  readonly #counts: Uint32Array;
  readonly count: number;

  constructor(counts: Uint32Array) {
    this.#counts = counts;
    this.count = counts.reduce((a, b) => a + b, 0);
  }

  /** The duration that so great a share stays below, ms; undefined when there is none. */
  quantile(share: number): number | undefined {
    if (this.count === 0) return undefined;
    let left = share * this.count;
    const index = this.#counts.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    return middleOf(index);
  }

  /** How high each bar is, beside the highest one. */
  bars(): number[] {
    const bars = new Array<number>(BAR_ENDS.length + 1).fill(0);
    for (const [index, count] of this.#counts.entries()) {
      const bar = BAR_ENDS.findIndex((end) => middleOf(index) <= end);
      const place = bar === -1 ? BAR_ENDS.length : bar;
      bars[place] = (bars[place] ?? 0) + count;
    }
    const highest = Math.max(1, ...bars);
    return bars.map((count) => count / highest);
  }
}

function classOf(ms: number): number {
  if (!(ms > FIRST_MS)) return 0;
  return Math.min(CLASSES - 1, Math.ceil(Math.log(ms / FIRST_MS) / Math.log(GROWTH)));
}

function middleOf(index: number): number {
  return index === 0 ? FIRST_MS / 2 : FIRST_MS * GROWTH ** (index - 0.5);
}
