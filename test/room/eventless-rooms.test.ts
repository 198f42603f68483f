/** How many rooms without any event a relay follows (R14). */
import { describe, expect, it } from 'vitest';
import { networkOf } from '../../worker/relays.ts';
import {
  EventlessRooms,
  type Following,
  MAX_OF_ADDRESS,
  MAX_OF_RELAY,
} from '../../worker/room/session/admission/eventless-rooms.ts';

class Relay {
  now = 1e12;
  readonly following = new Map<string, Following>();
  readonly rooms = new EventlessRooms((room) => this.following.get(room) ?? 'not');
  #asked = 0;

  /** Asks for rooms that nobody has asked for; says how many are followed. */
  ask(address: string | undefined, count: number): number {
    let admitted = 0;
    for (let i = 0; i < count; i++) {
      const room = `trade:S${this.#asked++}`;
      if (!this.rooms.admits(room, address, this.now)) continue;
      admitted++;
      this.following.set(room, 'eventless');
    }
    return admitted;
  }

  become(following: Following): void {
    for (const room of this.following.keys()) this.following.set(room, following);
  }
}

describe('rooms without any event', () => {
  it('are so many for one address, and so many in all', () => {
    const relay = new Relay();
    expect(relay.ask('a', 1_000)).toBe(MAX_OF_ADDRESS);
    expect(relay.ask('b', 1_000)).toBe(MAX_OF_ADDRESS);
    expect(relay.ask(undefined, 10_000)).toBe(MAX_OF_RELAY - 2 * MAX_OF_ADDRESS);
    expect(relay.ask('c', 1)).toBe(0);
  });

  it('are not counted twice', () => {
    const relay = new Relay();
    relay.ask('a', MAX_OF_ADDRESS);
    for (const room of relay.following.keys()) {
      expect(relay.rooms.admits(room, 'a', relay.now)).toBe(true);
      expect(relay.rooms.admits(room, 'b', relay.now)).toBe(true);
    }
    expect(relay.ask('b', MAX_OF_ADDRESS)).toBe(MAX_OF_ADDRESS);
  });

  it('count no more when they have events', () => {
    const relay = new Relay();
    relay.ask('a', MAX_OF_ADDRESS);
    relay.become('with_events');
    expect(relay.ask('a', 1_000)).toBe(MAX_OF_ADDRESS);
  });

  it('count for ten minutes when nobody reads them any more, and while somebody does', () => {
    const relay = new Relay();
    relay.ask('a', MAX_OF_ADDRESS);
    relay.now += 3_600_000;
    expect(relay.ask('a', 1)).toBe(0);
    relay.become('not');
    relay.now += 1_000;
    expect(relay.ask('a', MAX_OF_ADDRESS)).toBe(MAX_OF_ADDRESS);
    relay.become('not');
    relay.now += 599_000;
    expect(relay.ask('a', 1)).toBe(0);
    relay.now += 1_000;
    expect(relay.ask('a', MAX_OF_ADDRESS)).toBe(MAX_OF_ADDRESS);
  });

  it('count after a sleep as before', () => {
    const relay = new Relay();
    for (let i = 0; i < MAX_OF_ADDRESS; i++) {
      relay.following.set(`price:${i}`, 'eventless');
      relay.rooms.count(`price:${i}`, 'a', relay.now);
    }
    relay.rooms.count('price:0', 'a', relay.now);
    expect(relay.ask('a', 1)).toBe(0);
    expect(relay.ask('b', 1)).toBe(1);
  });
});

describe('an address', () => {
  it.each([
    [undefined, undefined],
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::6', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['2001:DB8::7:6', '2001:db8:0:0'],
  ])('%s counts as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
