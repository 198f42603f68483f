/**
 * Who may read what over a relay, by which way whoever asks: every kind of client, every class of room
 * and every way to come to a room. In each case a client that may read all is at the same relay, so the
 * relay has every room.
 */
import { evictDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { ROOM_ACCESS, type RoomClass } from '../../worker/protocol/rooms.ts';
import { Room } from '../../worker/room/durable-object.ts';
import { type Client, connectRelay, eventsOf, tokenFor } from './support/connect.ts';
import { CLASSES, type Names, publishAll, roomOf } from './support/every-room.ts';

/** `expired`: the token opened all and has ended. `renewed`: it was followed by one without grants. */
const ROLES = ['anonymous', 'owner', 'another', 'granted', 'expired', 'renewed'] as const;
const WAYS = [
  'asks for it',
  'asks for it in a list',
  'comes back to it with since',
  'asks for it after another had it here',
  'has asked for it before the relay sleeps',
  'asks for it while a token is checked',
] as const;
type Role = (typeof ROLES)[number];
type Way = (typeof WAYS)[number];

/** `events`: it is subscribed and gets them. `closed`: its socket is. Anything else is an error's code. */
const OUTCOMES: Readonly<Record<Role, Readonly<Record<'anyone' | 'user' | 'grant', string>>>> = {
  anonymous: { anyone: 'events', user: 'token_missing', grant: 'token_missing' },
  owner: { anyone: 'events', user: 'events', grant: 'room_forbidden' },
  another: { anyone: 'events', user: 'room_forbidden', grant: 'room_forbidden' },
  granted: { anyone: 'events', user: 'room_forbidden', grant: 'events' },
  expired: { anyone: 'events', user: 'token_expired', grant: 'token_expired' },
  renewed: { anyone: 'events', user: 'events', grant: 'room_forbidden' },
};
const ENDS_AFTER_MS = 400;
/** Longer than it takes to be subscribed, shorter than it takes a relay to sleep. */
const ENDS_ASLEEP_AFTER_MS = 2_000;
const WAIT = { timeout: 10_000, interval: 5 };
/** It is long enough for a busy machine, and longer than a wait. */
const TIMEOUT_MS = 30_000;

const say = ({ socket }: Client, message: object) => socket.send(JSON.stringify(message));

/** The answers to requests for a room: `subscribed`, or the code of an error. */
function answersOf(client: Client, room: string): string[] {
  return client.frames
    .filter(({ type, room: named }) => named === room && ['subscribed', 'error'].includes(type))
    .map(({ type, code }) => (type === 'error' ? String(code) : type));
}

/** The last of them; undefined when there is none yet. */
function answerOf(client: Client, room: string): string | undefined {
  return answersOf(client, room).at(-1);
}

function hasMark(client: Client, room: string, mark: string): boolean {
  return client.frames.some(
    (frame) =>
      frame.room === room &&
      eventsOf(frame).some(({ event }) => (event.data as { mark?: string }).mark === mark),
  );
}

/** Subscribes to all rooms, and resolves once each is answered. */
async function ask(client: Client, rooms: readonly string[]): Promise<void> {
  say(client, { type: 'subscribe', rooms: rooms.map((room) => ({ room })) });
  await answered(client, rooms);
}

async function answered(client: Client, rooms: readonly string[]): Promise<void> {
  const isAnswered = (room: string) => answerOf(client, room) !== undefined;
  await vi.waitUntil(() => rooms.every(isAnswered), WAIT);
}

async function haveMark(client: Client, rooms: readonly string[], mark: string): Promise<void> {
  await vi.waitUntil(() => rooms.every((room) => hasMark(client, room, mark)), WAIT);
}

/**
 * No signature is checked to its end before `act` has ended, which is told how many messages have come
 * to objects.
 */
async function whileTokensAreChecked(act: (received: () => number) => Promise<void>) {
  const { verify } = crypto.subtle;
  const { webSocketMessage } = Room.prototype;
  let isHeld = true;
  let received = 0;
  vi.spyOn(SubtleCrypto.prototype, 'verify').mockImplementation(async (...signature) => {
    // An object cannot be woken by a promise of the test.
    while (isHeld) await scheduler.wait(WAIT.interval);
    return verify.apply(crypto.subtle, signature);
  });
  vi.spyOn(Room.prototype, 'webSocketMessage').mockImplementation(function (
    this: Room,
    ...message
  ) {
    received++;
    return webSocketMessage.apply(this, message);
  });
  await act(() => received);
  isHeld = false;
  vi.restoreAllMocks();
}

let tests = 0;

class Case {
  readonly names: Names;
  readonly rooms: readonly string[];
  readonly #role: Role;
  readonly #clients: Client[] = [];
  home = '/v1/ws?home=none';

  constructor(role: Role) {
    const id = ++tests;
    this.#role = role;
    this.names = { user: `owner-${id}`, custom: `lounge-${id}`, symbol: `R${id}` };
    this.rooms = CLASSES.map((roomClass) => roomOf(roomClass, this.names));
  }

  /** A client at the relay of this case. */
  async connect(token?: string): Promise<Client> {
    const client = await connectRelay(`${this.home}&system=off`, token);
    const [welcome] = await client.received('welcome');
    this.home = String(welcome?.home);
    this.#clients.push(client);
    return client;
  }

  /** The token of who may read everything. */
  fullToken(claims: object = {}): Promise<string> {
    const { user, custom } = this.names;
    return tokenFor(user, { rooms: [custom], ...claims });
  }

  /** The token by which somebody of this role comes, and the token that follows it. */
  async tokens(endsAfter = ENDS_AFTER_MS): Promise<(string | undefined)[]> {
    const { user, custom } = this.names;
    switch (this.#role) {
      case 'anonymous':
        return [undefined];
      case 'owner':
        return [await tokenFor(user)];
      case 'another':
        return [await tokenFor(`not-${user}`)];
      case 'granted':
        return [await tokenFor(`not-${user}`, { rooms: [custom] })];
      case 'expired':
        return [await this.fullToken({ exp: (Date.now() + endsAfter) / 1000 })];
      case 'renewed':
        return [await this.fullToken(), await tokenFor(user)];
    }
  }

  /** A client of this role, whose token has ended or was renewed. */
  async connectInRole(): Promise<Client> {
    const [token, next] = await this.tokens();
    const client = await this.connect(token);
    if (this.#role === 'expired') await scheduler.wait(ENDS_AFTER_MS + 10);
    if (next !== undefined) {
      say(client, { type: 'auth', token: next });
      await client.received('welcome', 2);
    }
    return client;
  }

  /** One who reads everything. */
  async witness(): Promise<Client> {
    const client = await this.connect(await this.fullToken());
    await ask(client, this.rooms);
    return client;
  }

  /** Resolves when the relay has slept. */
  sleep(): Promise<void> {
    const [, place] = /home=([a-z]+\.\d+)\./.exec(this.home) ?? [];
    const stub = env.ROOM.getByName(`relay ${place}`);
    return evictDurableObject(stub, { webSockets: 'hibernate' });
  }

  async end(): Promise<void> {
    for (const { socket } of this.#clients) socket.close();
    await Promise.all(this.#clients.map(({ closed }) => closed));
  }
}

const ASK: Readonly<Record<Way, (is: Case, role: Role) => Promise<Client[]>>> = {
  async 'asks for it'(is) {
    const client = await is.connectInRole();
    for (const room of is.rooms) say(client, { type: 'subscribe', room });
    return [client];
  },
  async 'asks for it in a list'(is) {
    const client = await is.connectInRole();
    say(client, { type: 'subscribe', id: 1, rooms: is.rooms.map((room) => ({ room })) });
    return [client];
  },
  async 'comes back to it with since'(is) {
    const before = await is.witness();
    await publishAll(is.names, 'before');
    await haveMark(before, is.rooms, 'before');
    const rooms = is.rooms.map((room) => {
      const epoch = before.frames.find((frame) => frame.room === room)?.epoch;
      const seq = before.frames
        .filter((frame) => frame.room === room)
        .flatMap(eventsOf)
        .at(-1)?.seq;
      return { room, since: { epoch, seq } };
    });
    before.socket.close();
    await before.closed;
    await publishAll(is.names, 'missed');
    const client = await is.connectInRole();
    say(client, { type: 'subscribe', rooms });
    return [client];
  },
  async 'asks for it after another had it here'(is) {
    const witness = await is.witness();
    await publishAll(is.names, 'before');
    await haveMark(witness, is.rooms, 'before');
    const client = await is.connectInRole();
    for (const room of is.rooms) say(client, { type: 'subscribe', room });
    return [client];
  },
  async 'has asked for it before the relay sleeps'(is, role) {
    const isOpen = (room: string) => !room.startsWith('user:') && room !== is.names.custom;
    const [token, next] = await is.tokens(ENDS_ASLEEP_AFTER_MS);
    const ends = Date.now() + ENDS_ASLEEP_AFTER_MS;
    // A socket with a private room ends with its token.
    const parts =
      role === 'expired'
        ? [is.rooms.filter(isOpen), is.rooms.filter((room) => !isOpen(room))]
        : [is.rooms];
    const clients = [];
    for (const rooms of parts) {
      const client = await is.connect(token);
      await ask(client, rooms);
      clients.push(client);
    }
    const [client] = clients;
    if (next !== undefined && client !== undefined) {
      say(client, { type: 'auth', token: next });
      await client.received('unsubscribed');
    }
    await is.sleep();
    if (role === 'expired') await scheduler.wait(Math.max(0, ends - Date.now()) + 10);
    return clients;
  },
  async 'asks for it while a token is checked'(is, role) {
    const [token, next] = await is.tokens(role === 'expired' ? -60_000 : 0);
    const client = await is.connect(role === 'renewed' ? token : undefined);
    await whileTokensAreChecked(async (received) => {
      say(client, { type: 'auth', token: next ?? token ?? 'none' });
      for (const room of is.rooms) say(client, { type: 'subscribe', room });
      await vi.waitUntil(() => received() === 1 + is.rooms.length, WAIT);
    });
    return [client];
  },
};

/** What differs from the table, by the way. */
function expectedOf(role: Role, way: Way, roomClass: RoomClass): string {
  const access = ROOM_ACCESS[roomClass];
  if (role === 'expired' && access !== 'anyone') {
    if (way === 'has asked for it before the relay sleeps') return 'closed';
    // A token that has ended makes nobody a user.
    if (way === 'asks for it while a token is checked') return 'token_missing';
  }
  return OUTCOMES[role][access];
}

/** Where a room stands with the clients of a case, after an event with `mark` has come to the relay. */
function outcomeOf(clients: readonly Client[], room: string, mark: string): string {
  const client = clients.find((one) => answerOf(one, room) !== undefined);
  if (client === undefined) return 'not answered';
  const answer = answerOf(client, room) ?? '';
  if (hasMark(client, room, mark)) return answer === 'subscribed' ? 'events' : `${answer}, events`;
  return client.socket.readyState === WebSocket.OPEN ? answer : 'closed';
}

async function expectOutcomes(
  clients: readonly Client[],
  { rooms }: Case,
  expected: readonly string[],
  mark: string,
): Promise<void> {
  const outcomes = () => rooms.map((room) => outcomeOf(clients, room, mark));
  const isExpected = () => outcomes().every((outcome, index) => outcome === expected[index]);
  await vi.waitUntil(isExpected, WAIT).catch(() => {});
  const byClass = (all: readonly string[]) =>
    Object.fromEntries(CLASSES.map((roomClass, index) => [roomClass, all[index]]));
  expect(byClass(outcomes())).toEqual(byClass(expected));
}

/** Asks for all rooms that a client has asked for, and resolves once each is answered. */
async function askAgain(client: Client): Promise<void> {
  if (client.socket.readyState !== WebSocket.OPEN) return;
  const rooms = new Set(client.frames.flatMap(({ room }) => (room === undefined ? [] : [room])));
  const id = 'again';
  say(client, { type: 'subscribe', id, rooms: [...rooms].map((room) => ({ room })) });
  const answers = () => client.frames.filter((frame) => frame.id === id);
  await vi.waitUntil(() => answers().length === rooms.size, WAIT);
}

describe.each(ROLES)('R14: somebody who is %s', (role) => {
  it.each(WAYS)('and %s', { timeout: TIMEOUT_MS }, async (way) => {
    const is = new Case(role);
    const expected = CLASSES.map((roomClass) => expectedOf(role, way, roomClass));
    const clients = await ASK[way](is, role);
    if (way !== 'has asked for it before the relay sleeps') {
      await answered(clients[0] as Client, is.rooms);
      const witness = await is.witness();
      await publishAll(is.names, 'now');
      await haveMark(witness, is.rooms, 'now');
    } else {
      await publishAll(is.names, 'now');
    }
    await expectOutcomes(clients, is, expected, 'now');
    if (way === 'asks for it while a token is checked') {
      // Nothing is answered by the token before it, and then by this one.
      const answers = is.rooms.map((room) => answersOf(clients[0] as Client, room).length);
      expect(answers).toEqual(is.rooms.map(() => 1));
    }
    if (way === 'comes back to it with since') {
      const got = is.rooms.filter((room) => hasMark(clients[0] as Client, room, 'missed'));
      expect(got).toEqual(is.rooms.filter((_, index) => expected[index] === 'events'));
    }
    if (way === 'has asked for it before the relay sleeps') {
      for (const client of clients) await askAgain(client);
      const witness = await is.witness();
      await publishAll(is.names, 'later');
      await haveMark(witness, is.rooms, 'later');
      await expectOutcomes(clients, is, expected, 'later');
    }
    await is.end();
  });
});
