/** A relay: one socket that reads many rooms. */
import { describe, expect, it } from 'vitest';
import type { RoomFrame } from '../../worker/protocol/frames.ts';
import { WINDOW_CHARACTERS } from '../../worker/room/session/output/window.ts';
import { RELAY_SOCKET } from '../../worker/room/session/profile.ts';
import { Symbols } from '../../worker/symbols.ts';
import { ObjectsInMemory } from './objects-in-memory.ts';
import type { FakeSocket } from './room-in-memory.ts';

const RELAY = 'relay weur.0';

class Relay {
  readonly objects = new ObjectsInMemory();
  readonly name: string;

  constructor(name = RELAY) {
    this.name = name;
  }

  join(joiner: Parameters<ObjectsInMemory['join']>[1] = {}): FakeSocket {
    return this.objects.join(this.name, { system: 'off', ...joiner });
  }

  say(socket: FakeSocket, message: object): Promise<void> | void {
    return this.objects.room(this.name).receive(socket, JSON.stringify(message));
  }

  async subscribe(socket: FakeSocket, ...rooms: (string | object)[]): Promise<void> {
    const wanted = rooms.map((room) => (typeof room === 'string' ? { room } : room));
    await this.say(socket, { type: 'subscribe', id: 's', rooms: wanted });
    await this.objects.elapse(100);
  }

  async append(room: string, count = 1, size = 0): Promise<void> {
    for (let i = 0; i < count; i++) this.objects.append(room, { size });
    await this.objects.elapse(200);
  }

  epochOf(room: string): number {
    return JSON.parse(this.objects.room(room).history(undefined, 1)).epoch;
  }

  auth(socket: FakeSocket, user: string, lifetime: number, rooms: string[] = []): Promise<void> {
    const expiresAt = this.objects.clock.now() + lifetime;
    const identity = { kind: 'user', user, expiresAt, rooms, ignoresGrants: false };
    return Promise.resolve(
      this.say(socket, { type: 'auth', id: 'a', token: JSON.stringify(identity) }),
    );
  }
}

function framesOf({ frames }: FakeSocket, room: string): RoomFrame[] {
  return frames.filter((frame) => 'room' in frame && frame.room === room);
}

function typesOf(socket: FakeSocket, room: string): string[] {
  return framesOf(socket, room).map(({ type }) => type);
}

function seqsOf(socket: FakeSocket, room: string): number[] {
  return framesOf(socket, room).flatMap((frame) =>
    frame.type === 'events' ? frame.events.map(({ seq }) => seq) : [],
  );
}

describe('a socket of a relay', () => {
  it('reads the rooms of a list, and each message is an array of frames', async () => {
    const relay = new Relay();
    const socket = relay.join();
    await relay.subscribe(socket, 'trade:A', 'trade:B', 'price:C');
    await relay.append('trade:A', 2);
    await relay.append('trade:B');
    await relay.append('price:C');
    expect(seqsOf(socket, 'trade:A')).toEqual([1, 2]);
    expect(seqsOf(socket, 'trade:B')).toEqual([1]);
    expect(seqsOf(socket, 'price:C')).toEqual([1]);
    for (const room of ['trade:A', 'trade:B', 'price:C']) {
      expect(typesOf(socket, room).slice(0, 2)).toEqual(['subscribed', 'snapshot']);
    }
    for (const text of socket.texts) expect(Array.isArray(JSON.parse(text))).toBe(true);
  });

  it('R7: is paid for by its messages, and not by the frames of each room in them', async () => {
    const relay = new Relay();
    const rooms = Array.from({ length: 20 }, (_, index) => `trade:S${index}`);
    const sockets = Array.from({ length: 200 }, () => relay.join());
    const wanted = rooms.map((room) => ({ room }));
    for (const socket of sockets)
      void relay.say(socket, { type: 'subscribe', id: 's', rooms: wanted });
    await relay.objects.elapse(2_000);
    const [socket] = sockets;
    for (let second = 1; second <= 3; second++) {
      const before = socket?.texts.length ?? 0;
      for (const room of rooms) relay.objects.append(room);
      // One message to each of 200 sockets costs 6.2 ms; 20 of them each would cost 124 ms.
      await relay.objects.elapse(60);
      for (const room of rooms) expect(seqsOf(socket as FakeSocket, room)).toContain(second);
      expect((socket?.texts.length ?? 0) - before).toBeLessThanOrEqual(20);
    }
  });

  it('is known after a sleep even if it has no room yet', async () => {
    const relay = new Relay();
    const socket = relay.join();
    relay.objects.sleep(RELAY);
    await relay.subscribe(socket, 'trade:A');
    expect(typesOf(socket, 'trade:A')).toEqual(['subscribed', 'snapshot']);
  });

  it('is sent its limits, and where to come back to', () => {
    const relay = new Relay();
    const [welcome] = relay.join({ home: '/v1/ws?home=x' }).frames;
    expect(welcome).toMatchObject({
      type: 'welcome',
      home: '/v1/ws?home=x',
      limits: { rooms: 256 },
    });
  });

  it('hears `system` like every other socket', async () => {
    const relay = new Relay();
    const socket = relay.join({ system: undefined });
    await relay.objects.elapse(100);
    relay.objects.alert();
    await relay.objects.elapse(100);
    expect(typesOf(socket, 'system')).toEqual(['subscribed', 'snapshot', 'events']);
  });

  it('goes on from its cursors, in each room by itself', async () => {
    const relay = new Relay();
    await relay.append('trade:A', 3);
    const socket = relay.join();
    const since = { epoch: relay.epochOf('trade:A'), seq: 1 };
    await relay.subscribe(socket, { room: 'trade:A', since }, 'trade:B');
    expect(typesOf(socket, 'trade:A')).toEqual(['subscribed', 'events']);
    expect(seqsOf(socket, 'trade:A')).toEqual([2, 3]);
    expect(typesOf(socket, 'trade:B')).toEqual(['subscribed', 'snapshot']);
  });

  it('follows a room once for all its sockets, and not when nobody reads it', async () => {
    const relay = new Relay();
    const sockets = [relay.join(), relay.join(), relay.join()];
    for (const socket of sockets) await relay.subscribe(socket, 'trade:A');
    expect(relay.objects.callsOf('follow')).toEqual(['trade:A']);
    for (const socket of sockets) {
      void relay.say(socket, { type: 'unsubscribe', id: 'u', rooms: ['trade:A'] });
    }
    await relay.append('trade:A');
    await relay.append('trade:A');
    expect(relay.objects.callsOf('push')).toEqual([RELAY]);
    for (const socket of sockets) expect(typesOf(socket, 'trade:A').at(-1)).toBe('unsubscribed');
    await relay.subscribe(relay.join(), 'trade:A');
    expect(relay.objects.callsOf('follow')).toEqual(['trade:A', 'trade:A']);
  });

  it('leaves only a bounded number of rooms behind that nobody reads', async () => {
    const relay = new Relay();
    const socket = relay.join();
    for (let list = 0; list < 4; list++) {
      const rooms = Array.from({ length: 100 }, (_, index) => `trade:S${list}-${index}`);
      await relay.subscribe(socket, ...rooms);
      void relay.say(socket, { type: 'unsubscribe', rooms });
      await relay.objects.elapse(20_000);
    }
    expect(relay.objects.rowsOf(RELAY).length).toBeLessThanOrEqual(256);
  });

  it('is refused each room by itself', async () => {
    const relay = new Relay();
    const socket = relay.join();
    await relay.subscribe(socket, 'user:u', 'bad room', 'desk', 'trade:A');
    const errors = socket.frames.filter(({ type }) => type === 'error');
    expect(errors).toMatchObject([
      { id: 's', room: 'user:u', code: 'token_missing' },
      { id: 's', room: 'bad room', code: 'room_invalid' },
      { id: 's', room: 'desk', code: 'token_missing' },
    ]);
    expect(typesOf(socket, 'trade:A')).toEqual(['subscribed', 'snapshot']);
  });

  it.each([false, true])(
    'may ask for no more rooms without any event than its address may (asleep: %s)',
    async (sleeps) => {
      const relay = new Relay();
      const rooms = (from: number, to: number) =>
        Array.from({ length: to - from }, (_, index) => `trade:S${from + index}`);
      const [one, two] = [relay.join({ address: 'a' }), relay.join({ address: 'a' })];
      await relay.subscribe(one, ...rooms(0, 256));
      await relay.subscribe(two, ...rooms(256, 512));
      const third = relay.join({ address: 'a' });
      if (sleeps) {
        await relay.objects.elapse(20_000);
        relay.objects.sleep(RELAY);
      }
      await relay.subscribe(third, ...rooms(511, 514), 'price_updates', 'system');
      expect(typesOf(third, 'trade:S511')).toEqual(['subscribed', 'snapshot']);
      for (const room of rooms(512, 514)) {
        expect(framesOf(third, room)).toMatchObject([{ id: 's', code: 'room_unavailable' }]);
      }
      expect(typesOf(third, 'price_updates')).toEqual(['subscribed', 'snapshot']);
      const other = relay.join({ address: 'b' });
      await relay.subscribe(other, ...rooms(512, 514));
      expect(typesOf(other, 'trade:S513')).toEqual(['subscribed', 'snapshot']);
      // What has been published to counts no more.
      await relay.append('trade:S0');
      await relay.objects.elapse(1_000);
      await relay.subscribe(third, ...rooms(514, 516));
      expect(typesOf(third, 'trade:S514')).toEqual(['subscribed', 'snapshot']);
      expect(typesOf(third, 'trade:S515')).toEqual(['error']);
    },
  );

  it('is refused symbols that the operator has not named, and no other room (R14)', async () => {
    const relay = new Relay();
    relay.objects.symbols = new Symbols(['A', 'ETH-*']);
    const socket = relay.join();
    const unknown = ['trade:B', 'price:B', 'orderbook:eth-USDC'];
    const known = ['trade:A', 'price:ETH-USDC', 'price_updates'];
    await relay.subscribe(socket, ...unknown, ...known);
    for (const room of unknown) {
      expect(framesOf(socket, room)).toMatchObject([{ id: 's', code: 'symbol_unknown' }]);
    }
    for (const room of known) expect(typesOf(socket, room)).toEqual(['subscribed', 'snapshot']);
    expect(relay.objects.callsOf('follow').sort()).toEqual(known.toSorted());
  });

  it('may have no more rooms than can be remembered of it', async () => {
    const relay = new Relay();
    const socket = relay.join();
    const rooms = Array.from({ length: 256 }, (_, index) => `trade:S${index}`);
    await relay.subscribe(socket, ...rooms);
    await relay.subscribe(socket, 'trade:TOO-MANY', 'system');
    expect(typesOf(socket, 'trade:TOO-MANY')).toEqual(['error']);
    expect(typesOf(socket, 'system')[0]).toBe('subscribed');
    expect(socket.frames.filter(({ type }) => type === 'subscribed').length).toBe(257);
    const long = relay.join();
    const names = Array.from({ length: 256 }, (_, index) => `trade:${'x'.repeat(200)}${index}`);
    await relay.subscribe(long, ...names);
    const codes = long.frames.flatMap((frame) => (frame.type === 'error' ? [frame.code] : []));
    expect(new Set(codes)).toEqual(new Set(['rooms_too_many']));
    expect(codes.length).toBeLessThan(256);
  });

  it('goes on after a sleep of its relay, without a call', async () => {
    const relay = new Relay();
    const socket = relay.join();
    await relay.subscribe(socket, 'trade:A', { room: 'price:B', maxRate: 5 });
    await relay.append('trade:A');
    await relay.objects.elapse(20_000);
    relay.objects.sleep(RELAY);
    const before = relay.objects.callsOf('follow').length;
    await relay.append('trade:A');
    await relay.append('price:B');
    expect(seqsOf(socket, 'trade:A')).toEqual([1, 2]);
    expect(seqsOf(socket, 'price:B')).toEqual([1]);
    expect(relay.objects.callsOf('follow').length).toBe(before);
  });

  it('misses nothing that its relay had lost in a crash, also if that slept since', async () => {
    const relay = new Relay();
    await relay.subscribe(relay.join(), 'trade:A');
    await relay.append('trade:A');
    await relay.objects.elapse(20_000);
    await relay.append('trade:A');
    relay.objects.crash(RELAY);
    const socket = relay.join();
    await relay.objects.elapse(20_000);
    relay.objects.sleep(RELAY);
    const since = { epoch: relay.epochOf('trade:A'), seq: 1 };
    await relay.subscribe(socket, { room: 'trade:A', since });
    expect(seqsOf(socket, 'trade:A')).toEqual([2]);
  });

  it('is served its rooms in turn when its window opens', async () => {
    const relay = new Relay();
    const socket = relay.join();
    const rooms = ['trade:A', 'trade:B', 'trade:C'];
    await relay.subscribe(socket, ...rooms);
    void relay.say(socket, { type: 'ack', room: 'trade:A', seq: 0 });
    for (const room of rooms) await relay.append(room, 8, 100_000);
    for (let acks = 0; acks < 30; acks++) {
      const events = socket.frames.filter((frame) => frame.type === 'events');
      const last = events.at(-1);
      const seq = last?.events.at(-1)?.seq ?? 0;
      void relay.say(socket, { type: 'ack', room: last?.room ?? 'trade:A', seq });
      await relay.objects.elapse(200);
    }
    for (const room of rooms) expect(seqsOf(socket, room)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const order = socket.frames.flatMap((frame) => (frame.type === 'events' ? [frame.room] : []));
    // None of them is given everything before another is given anything.
    expect(new Set(order.slice(0, 8)).size).toBe(3);
    expect(WINDOW_CHARACTERS).toBeLessThan(8 * 100_000);
  });
});

describe('the window of a socket at a relay', () => {
  it('opens by the newest frame, though its room was left before the ack came', async () => {
    const relay = new Relay();
    const socket = relay.join();
    await relay.subscribe(socket, 'trade:A', 'trade:B');
    void relay.say(socket, { type: 'ack', room: 'trade:A', seq: 0 });
    await relay.append('trade:A', 2, 100_000);
    await relay.append('trade:B');
    void relay.say(socket, { type: 'unsubscribe', room: 'trade:B' });
    void relay.say(socket, { type: 'ack', room: 'trade:B', seq: 1 });
    await relay.append('trade:A', 2, 100_000);
    expect(seqsOf(socket, 'trade:A')).toEqual([1, 2, 3, 4]);
  });

  it('is shared by rooms that hold just under a half of it each', async () => {
    const relay = new Relay();
    const socket = relay.join();
    const rooms = Array.from({ length: 20 }, (_, index) => `trade:${index}`);
    await relay.subscribe(socket, ...rooms);
    void relay.say(socket, { type: 'ack', room: 'trade:0', seq: 0 });
    for (const room of rooms) await relay.append(room, 1, 130_000);
    let read = 0;
    for (let acks = 0; acks < 30; acks++) {
      const frames = socket.frames.slice(read);
      read += frames.length;
      const last = frames.findLast((frame) => frame.type === 'events');
      if (last !== undefined) void relay.say(socket, { type: 'ack', room: last.room, seq: 1 });
      await relay.objects.elapse(200);
    }
    for (const room of rooms) expect(seqsOf(socket, room)).toEqual([1]);
  });
});

describe('a room that cannot be reached', () => {
  it('is refused after ten seconds, and at once while that lasts, when it only answers', async () => {
    const relay = new Relay();
    await relay.append('trade:A', 3, 100_000);
    relay.objects.meddle = async ({ kind }, make) => {
      if (kind === 'push') throw new Error('the network is down in one direction');
      return make();
    };
    const [first, second] = [relay.join(), relay.join()];
    await relay.subscribe(first, 'trade:A');
    await relay.objects.elapse(5_000);
    expect(typesOf(first, 'trade:A')).toEqual([]);
    await relay.objects.elapse(10_000);
    expect(framesOf(first, 'trade:A')).toMatchObject([{ id: 's', code: 'room_unavailable' }]);
    await relay.subscribe(second, 'trade:A');
    expect(framesOf(second, 'trade:A')).toMatchObject([{ id: 's', code: 'room_unavailable' }]);
    relay.objects.meddle = async (_call, make) => make();
    await relay.objects.elapse(60_000);
    await relay.subscribe(first, 'trade:A');
    expect(typesOf(first, 'trade:A').slice(0, 3)).toEqual(['error', 'subscribed', 'snapshot']);
  });

  it('is refused after ten seconds, and at once while that lasts; the socket stays', async () => {
    const relay = new Relay();
    const socket = relay.join({ system: undefined });
    relay.objects.meddle = () => Promise.reject(new Error('the network is down'));
    await relay.subscribe(socket, 'trade:A');
    await relay.objects.elapse(5_000);
    expect(typesOf(socket, 'trade:A')).toEqual([]);
    await relay.objects.elapse(15_000);
    expect(framesOf(socket, 'trade:A')).toMatchObject([{ id: 's', code: 'room_unavailable' }]);
    relay.objects.meddle = async (_call, make) => make();
    await relay.subscribe(socket, 'trade:B');
    expect(typesOf(socket, 'trade:B')).toEqual(['subscribed', 'snapshot']);
    await relay.objects.elapse(3_600_000);
    expect(typesOf(socket, 'trade:A')).toEqual(['error']);
    expect(typesOf(socket, 'system')).toEqual(['subscribed', 'snapshot']);
  });
});

describe('a socket that reads nothing', () => {
  it('is known after a sleep, and may ask for rooms then', async () => {
    const relay = new Relay();
    const socket = relay.join({ user: 'u', tokenExpiresAt: 1e15 });
    await relay.objects.elapse(20_000);
    relay.objects.sleep(RELAY);
    await relay.subscribe(socket, 'user:u');
    expect(typesOf(socket, 'user:u')).toEqual(['subscribed', 'snapshot']);
  });
});

describe('rights at a relay', () => {
  it('come with a token over the open socket', async () => {
    const relay = new Relay();
    const socket = relay.join();
    await relay.auth(socket, 'u', 1e9, ['desk']);
    await relay.subscribe(socket, 'user:u', 'desk', 'user:another');
    expect(typesOf(socket, 'user:u')).toEqual(['subscribed', 'snapshot']);
    expect(typesOf(socket, 'desk')).toEqual(['subscribed', 'snapshot']);
    expect(framesOf(socket, 'user:another')).toMatchObject([{ code: 'room_forbidden' }]);
  });

  it('count for what was said behind the token, which waits for its check, in order', async () => {
    const relay = new Relay();
    const socket = relay.join();
    const checked = relay.auth(socket, 'u', 1e9);
    void relay.say(socket, { type: 'subscribe', id: 's', rooms: [{ room: 'user:u' }] });
    void relay.say(socket, { type: 'unsubscribe', id: 'n', room: 'trade:A' });
    expect(socket.types).toEqual(['welcome']);
    await checked;
    await relay.objects.elapse(100);
    const types = ['welcome', 'welcome', 'unsubscribed', 'subscribed', 'snapshot'];
    expect(socket.types).toEqual(types);
  });

  it('make no client wait with more than a few messages', async () => {
    const relay = new Relay();
    const socket = relay.join();
    const checked = relay.auth(socket, 'u', 1e9);
    for (let count = 0; count <= 64; count++) {
      expect(socket.closedFor).toBeUndefined();
      void relay.say(socket, { type: 'subscribe', room: `trade:${count}` });
    }
    expect(socket.closedFor).toBe('too_many_messages');
    await checked;
    expect(socket.types).toEqual(['welcome']);
  });

  it('let a client say no more behind a token than it may say at all', async () => {
    const relay = new Relay();
    const leave = (socket: FakeSocket, count: number) => {
      const rooms = Array.from({ length: count }, (_, index) => `trade:${index}`);
      void relay.say(socket, { type: 'unsubscribe', rooms });
    };
    const [modest, greedy] = [relay.join(), relay.join()];
    const checked = [relay.auth(modest, 'u', 1e9), relay.auth(greedy, 'u', 1e9)];
    // With the token's, and one more behind them, these are as many as may come at once.
    for (const count of [256, 256, RELAY_SOCKET.messageBurst - 2 * 256 - 2]) leave(modest, count);
    leave(modest, 1);
    for (let list = 0; list < 20; list++) leave(greedy, 256);
    await Promise.all(checked);
    const left = ({ types }: FakeSocket) => types.filter((type) => type === 'unsubscribed').length;
    expect(left(modest)).toBe(RELAY_SOCKET.messageBurst - 1);
    expect(modest.closedFor).toBeUndefined();
    expect(greedy.closedFor).toBe('too_many_messages');
    expect(left(greedy)).toBeLessThan(RELAY_SOCKET.messageBurst + 256);
  });

  it('end with a token that opens less', async () => {
    const relay = new Relay();
    const socket = relay.join({ user: 'u', tokenExpiresAt: 1e15, rooms: ['desk'] });
    await relay.subscribe(socket, 'user:u', 'desk');
    await relay.auth(socket, 'u', 1e9);
    await relay.append('desk');
    await relay.append('user:u');
    expect(typesOf(socket, 'desk')).toEqual(['subscribed', 'snapshot', 'error', 'unsubscribed']);
    expect(seqsOf(socket, 'user:u')).toEqual([1]);
  });

  it('end in all rooms at once, so that leaving one brings nothing of another', async () => {
    const relay = new Relay();
    for (const room of ['desk', 'club']) await relay.append(room, 4, 30_000);
    const token = { user: 'u', tokenExpiresAt: 1e15, rooms: ['desk', 'club'] };
    await relay.subscribe(relay.join(token), 'desk', 'club');
    const socket = relay.join(token);
    const rooms = [{ room: 'desk' }, { room: 'club' }];
    void relay.say(socket, { type: 'subscribe', rooms });
    expect(socket.types.filter((type) => type === 'snapshot').length).toBe(2);
    await relay.auth(socket, 'u', 1e9);
    await relay.objects.elapse(1_000);
    const types = socket.types.slice(socket.types.lastIndexOf('welcome'));
    expect(types).toEqual(['welcome', 'error', 'unsubscribed', 'error', 'unsubscribed']);
  });

  it('end with the token, before anything more is sent, also after a sleep', async () => {
    for (const sleeps of [false, true]) {
      const relay = new Relay();
      const tokenExpiresAt = relay.objects.clock.now() + 15_000;
      const socket = relay.join({ user: 'u', tokenExpiresAt });
      const open = relay.join({ user: 'u', tokenExpiresAt });
      await relay.subscribe(socket, 'user:u', 'trade:A');
      await relay.subscribe(open, 'trade:A');
      await relay.objects.elapse(20_000);
      if (sleeps) relay.objects.sleep(RELAY);
      await relay.append('user:u');
      await relay.append('trade:A');
      expect(socket.closedFor).toBe('token_expired');
      expect(seqsOf(socket, 'user:u')).toEqual([]);
      // Who reads public rooms only may go on.
      expect(seqsOf(open, 'trade:A')).toEqual([1]);
      await relay.subscribe(open, 'user:u');
      expect(framesOf(open, 'user:u')).toMatchObject([{ code: 'token_expired' }]);
    }
  });

  it('do not keep a private room that no session reads any more', async () => {
    const relay = new Relay();
    const socket = relay.join({ user: 'u', tokenExpiresAt: 1e15 });
    await relay.append('user:u');
    await relay.subscribe(socket, 'user:u');
    void relay.say(socket, { type: 'unsubscribe', room: 'user:u' });
    await relay.append('user:u');
    await relay.append('user:u');
    expect(relay.objects.callsOf('push')).toEqual([RELAY]);
    expect(relay.objects.rowsOf('user:u')).not.toContain(RELAY);
  });
});
