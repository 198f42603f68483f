/** How many relays of a region are in use, as an isolate finds out. */
import { describe, expect, it } from 'vitest';
import { chooseRelay, MOST_RELAYS, MOST_TRIES, noteFull } from '../../worker/relays.ts';

const HOLDS = 100;

/** Relays of a region, and a client that is sent to them as the Worker does it. */
class Relays {
  readonly held = new Map<number, number>();
  refused = 0;
  readonly #region: string;

  constructor(region: string) {
    this.#region = region;
  }

  get inUse(): number {
    return this.held.size;
  }

  /** Sends so many clients at once: each has been sent on before any is answered. */
  comeAtOnce(clients: number): void {
    let waiting = clients;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const among = tries === 0 ? 'all' : 'newest';
      const chosen = Array.from({ length: waiting }, () => chooseRelay(this.#region, among, 0));
      for (const relay of chosen) {
        const held = this.held.get(relay.number) ?? 0;
        if (held < HOLDS) {
          this.held.set(relay.number, held + 1);
          waiting--;
        } else {
          noteFull(relay, 0);
        }
      }
    }
    this.refused += waiting;
  }
}

describe('relays of a region', () => {
  it('are one until it is full, and then two', () => {
    const relays = new Relays('a');
    relays.comeAtOnce(HOLDS);
    expect(relays.inUse).toBe(1);
    relays.comeAtOnce(1);
    expect(relays.inUse).toBe(2);
  });

  it('double once for all who find one full at the same time', () => {
    const relays = new Relays('b');
    relays.comeAtOnce(HOLDS + 50);
    expect(relays.inUse).toBe(2);
    expect(relays.refused).toBe(0);
  });

  it('are a few more than are needed when clients come one by one, and nobody is refused', () => {
    const relays = new Relays('c');
    for (let clients = 0; clients < 20 * HOLDS; clients++) relays.comeAtOnce(1);
    expect(relays.refused).toBe(0);
    expect(relays.inUse).toBeLessThanOrEqual(64);
  });

  it('are found by an isolate that is new, however many are full, and a client is refused when all are', () => {
    const full = (count: number, region: string) => {
      const relays = new Relays(region);
      for (let number = 0; number < count; number++) relays.held.set(number, HOLDS);
      relays.comeAtOnce(1);
      return relays.refused;
    };
    const counts = [8, 9, 100, MOST_RELAYS / 2, MOST_RELAYS];
    expect(counts.map((count) => full(count, `of ${count}`))).toEqual([0, 0, 0, 0, 1]);
  });

  it('are known to be as many as a home has named', () => {
    noteFull({ region: 'd', number: 5 }, 0);
    const numbers = new Set(
      Array.from({ length: 1_000 }, () => chooseRelay('d', 'newest', 0).number),
    );
    expect([...numbers].toSorted()).toEqual([4, 5, 6, 7]);
  });
});
