/**
 * An order book by price level: sorted, bounded, and never crossed. What would cross is not placed
 * (makers are "post only"); takers match against what is there and rest nothing.
 */
export type Side = 'buy' | 'sell';

export interface Level {
  readonly ticks: number;
  /** Always more than 0. */
  readonly lots: number;
}

/** A first screen's worth of each side. */
export const DEPTH = 20;

export class Book {
  /** Best first: the dearest bid, the cheapest ask. */
  #bids: Level[] = [];
  #asks: Level[] = [];

  /** The resting orders that buy (bids) or sell (asks). */
  side(side: Side): readonly Level[] {
    return side === 'buy' ? this.#bids : this.#asks;
  }

  best(side: Side): Level | undefined {
    return this.side(side)[0];
  }

  /** Puts `lots` at a price, in place of what was there; false when that would cross. */
  place(side: Side, ticks: number, lots: number): boolean {
    const facing = this.best(opposite(side));
    const crosses = facing !== undefined && !isBetter(side, facing.ticks, ticks);
    if (crosses || ticks <= 0 || lots <= 0) return false;
    const levels = this.#levels(side);
    const at = levels.findIndex((level) => !isBetter(side, level.ticks, ticks));
    const replaced = levels[at]?.ticks === ticks ? 1 : 0;
    levels.splice(at === -1 ? levels.length : at, replaced, { ticks, lots });
    if (levels.length > DEPTH) levels.length = DEPTH;
    return true;
  }

  /** Takes back all levels that `keep` does not want. */
  withdraw(side: Side, keep: (level: Level) => boolean): void {
    const kept = this.side(side).filter(keep);
    if (side === 'buy') this.#bids = kept;
    else this.#asks = kept;
  }

  /** What a market order on `side` would get from at most `maxLevels`; nothing changes. */
  match(side: Side, lots: number, maxLevels: number): readonly Level[] {
    const fills: Level[] = [];
    let left = lots;
    for (const { ticks, lots: resting } of this.side(opposite(side)).slice(0, maxLevels)) {
      if (left <= 0) break;
      const filled = Math.min(left, resting);
      fills.push({ ticks, lots: filled });
      left -= filled;
    }
    return fills;
  }

  /** Takes `fills`, as `match` gave them, out of the book. */
  take(side: Side, fills: readonly Level[]): void {
    const levels = this.#levels(opposite(side));
    for (const { ticks, lots } of fills) {
      const [best] = levels;
      if (best?.ticks !== ticks || best.lots < lots) throw new Error('the book has changed');
      if (best.lots === lots) levels.shift();
      else levels[0] = { ticks, lots: best.lots - lots };
    }
  }

  #levels(side: Side): Level[] {
    return side === 'buy' ? this.#bids : this.#asks;
  }
}

export const opposite = (side: Side): Side => (side === 'buy' ? 'sell' : 'buy');

/** Whether a resting order on `side` at `ticks` comes before one at `than`. */
function isBetter(side: Side, ticks: number, than: number): boolean {
  return side === 'buy' ? ticks > than : ticks < than;
}
