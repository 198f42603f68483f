/** What happens to a simulated room: a kind of room, then one thing after another. */
import fc from 'fast-check';
import { POLICIES, type Policy } from '../../worker/policy.ts';
import type { Cursor } from '../../worker/protocol/frames.ts';
import { MAX_RATES, type MaxRate } from '../../worker/protocol/messages.ts';
import type { Chunks } from '../../worker/room/store/chunks.ts';
import { type Connection, View } from './connection.ts';
import { type Content, type Posting, Publishers } from './publishers.ts';
import { SimulatedRoom, USER } from './simulated-room.ts';
import { promise, Violation } from './violation.ts';

const CLIENTS = 4;
/** Long enough for every stalled member to be closed and every memory room to be saved. */
const REST = 40_000;

export type Step =
  | {
      readonly kind: 'append';
      readonly by: 'kafka' | 'webhook';
      readonly partition: number;
      readonly back: number;
      readonly fresh: readonly Content[];
      readonly survives: boolean;
    }
  | { readonly kind: 'webhookAgain' | 'renumber'; readonly which: number }
  | { readonly kind: 'advance'; readonly ms: number }
  | {
      readonly kind: 'connect' | 'subscribe';
      readonly client: number;
      readonly since: 'none' | 'cursor' | 'earlier' | 'bogus';
      readonly maxRate: MaxRate | undefined;
      readonly acks: boolean;
      readonly reads: boolean;
      /** Until its token ends, in ms. */
      readonly lifetime: number;
    }
  | {
      readonly kind: 'manners';
      readonly client: number;
      readonly acks: boolean;
      readonly reads: boolean;
    }
  | { readonly kind: 'read'; readonly client: number; readonly count: number }
  | { readonly kind: 'ack'; readonly client: number; readonly distance: number }
  | { readonly kind: 'unsubscribe' | 'disconnect' | 'break' | 'stray'; readonly client: number }
  | {
      readonly kind: 'garbage';
      readonly client: number;
      readonly what: Garbage;
      readonly times: number;
    }
  | { readonly kind: 'flood'; readonly client: number; readonly count: number }
  | {
      readonly kind: 'auth';
      readonly client: number;
      readonly user: 'own' | 'other';
      readonly isGenuine: boolean;
      /** Until the token ends, in ms; one that has ended already has a negative one. */
      readonly lifetime: number;
    }
  | { readonly kind: 'checkToken' | 'sleep' | 'crash' | 'depart' };

/** What clients send that is no message. */
type Garbage = 'text' | 'object' | 'roomless' | 'bad cursor' | 'binary' | 'too long';

const GARBAGE: Readonly<Record<Garbage, string | ArrayBuffer>> = {
  text: 'hello',
  object: '{}',
  roomless: '{"type":"subscribe"}',
  'bad cursor': '{"type":"subscribe","room":"room","since":{"epoch":-1,"seq":0.5}}',
  binary: new ArrayBuffer(8),
  'too long': 'x'.repeat(9_000),
};

export interface Script {
  readonly policy: Policy;
  /** Whether the runtime has `bufferedAmount`. */
  readonly tellsBuffered: boolean;
  readonly steps: readonly Step[];
}

const client = fc.nat(CLIENTS - 1);
/** The longest lifetime of a token, in ms: some end while the script is played. */
const LIFETIME = 3_600_000_000;
const lifetime = fc.constantFrom(100, 3_000, LIFETIME, LIFETIME);
const maxRate = fc.option(fc.constantFrom(...MAX_RATES), { nil: undefined, freq: 2 });

const content = (lifetimes: boolean): fc.Arbitrary<Content> =>
  fc.record({
    key: fc.nat(4),
    size: fc.oneof(
      { weight: 12, arbitrary: fc.nat(40) },
      { weight: 3, arbitrary: fc.nat(6_000) },
      { weight: 2, arbitrary: fc.constant(100_000) },
    ),
    priority: fc.constantFrom('high', 'medium', 'low'),
    lifetime: lifetimes
      ? fc.option(fc.constantFrom(1, 20, 100, 400, 5_000, 100_000), { nil: undefined, freq: 2 })
      : fc.constant(undefined),
  });

/** More than fills a window at once. */
const windowful: readonly Content[] = Array.from({ length: 6 }, (_, key) => ({
  key,
  size: 100_000,
  priority: 'high',
  lifetime: undefined,
}));

const step = (lifetimes: boolean): fc.Arbitrary<Step> => {
  const manners = { acks: fc.boolean(), reads: fc.boolean() };
  return fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant('append'),
        by: fc.constantFrom('kafka', 'kafka', 'webhook'),
        partition: fc.nat(1),
        back: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(4)),
        fresh: fc.oneof(
          { weight: 8, arbitrary: fc.array(content(lifetimes), { minLength: 1, maxLength: 6 }) },
          { weight: 2, arbitrary: fc.constant(windowful) },
        ),
        survives: fc.oneof({ weight: 15, arbitrary: fc.constant(true) }, fc.constant(false)),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('advance'),
        ms: fc.constantFrom(1, 10, 20, 50, 100, 250, 1_000, 3_000, 6_000, 31_000),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('connect'),
        client,
        since: fc.constantFrom('none', 'cursor', 'cursor', 'earlier', 'bogus'),
        maxRate,
        lifetime,
        ...manners,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('subscribe'),
        client,
        since: fc.constantFrom('none', 'cursor', 'cursor', 'earlier', 'bogus'),
        maxRate,
        lifetime,
        ...manners,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('manners'), client, ...manners }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('read'),
        client,
        count: fc.integer({ min: 1, max: 4 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('ack'),
        client,
        distance: fc.constantFrom(-3, -1, 0, 0, 1, 5, 1_000, 1_000),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('unsubscribe', 'disconnect', 'break', 'stray'),
        client,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('garbage'),
        client,
        what: fc.constantFrom<Garbage[]>(
          ...(['text', 'object', 'roomless', 'bad cursor', 'binary'] as const),
          ...(['text', 'object', 'roomless', 'bad cursor', 'too long'] as const),
        ),
        times: fc.constantFrom(1, 1, 1, 5, 12),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('flood'),
        client,
        count: fc.constantFrom(9, 60, 120),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('auth'),
        client,
        user: fc.constantFrom('own', 'own', 'other'),
        isGenuine: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false)),
        lifetime: fc.oneof({ weight: 3, arbitrary: lifetime }, fc.constant(-1)),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('checkToken') }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('webhookAgain'), which: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('renumber'), which: fc.nat(1) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('sleep') }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash') }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('depart') }) },
  );
};

/** Bounds so small that something is trimmed all the time. Nothing expires while it is pending. */
const retention = fc.record({
  entries: fc.integer({ min: 1, max: 30 }),
  characters: fc.constantFrom(300, 3_000, 200_000, 1_000_000),
  age: fc.constantFrom(4_000, 20_000, 3_600_000),
  keys: fc.integer({ min: 1, max: 6 }),
  keyCharacters: fc.constantFrom(250, 150_000, 2_000_000),
});

const policy = (kind: 'durable' | 'keyed'): fc.Arbitrary<Policy> =>
  fc
    .record({
      // A durable room may be a user's own, and then tokens count.
      durable: fc.constantFrom('trade' as const, 'user' as const),
      retention,
      events: fc.integer({ min: 1, max: 6 }),
      flushInterval: fc.constantFrom(0, 50, 100),
    })
    .map(({ durable, retention, events, flushInterval }) => ({
      ...POLICIES[kind === 'durable' ? durable : 'price_updates'],
      retention,
      flushInterval,
      ...(kind === 'durable' ? { snapshot: { kind: 'tail' as const, events } } : {}),
    }));

export function scriptOf(kind: 'durable' | 'keyed', maxLength = 40): fc.Arbitrary<Script> {
  return fc.record({
    policy: policy(kind),
    tellsBuffered: fc.boolean(),
    // Prices and order books bring no expiry of their own.
    steps: fc.array(step(kind === 'durable'), { maxLength, size: 'max' }),
  });
}

/** Plays a script, then lets everything come to rest, and judges what each client made of it. */
export async function play(
  { policy, tellsBuffered, steps }: Script,
  chunks?: (chunks: Chunks) => Chunks,
): Promise<SimulatedRoom> {
  const room = new SimulatedRoom({ policy, tellsBuffered, chunks });
  try {
    const player = new Player(room);
    for (const step of steps) await player.obey(step);
    await player.rest();
    return room;
  } catch (error) {
    const trace = room.trace.slice(-120).join('\n');
    throw new Violation(`${error instanceof Error ? error.message : error}\n${trace}`, {
      cause: error,
    });
  }
}

class Player {
  readonly #room: SimulatedRoom;
  readonly #publishers = new Publishers();
  readonly #views = Array.from({ length: CLIENTS }, () => new View());
  readonly #connections = new Map<number, Connection>();
  #messages = 0;

  constructor(room: SimulatedRoom) {
    this.#room = room;
  }

  async obey(step: Step): Promise<void> {
    const room = this.#room;
    const now = room.clock.now();
    switch (step.kind) {
      case 'append': {
        const { by, partition, back, fresh, survives } = step;
        const posting =
          by === 'webhook'
            ? this.#publishers.webhook(fresh, now)
            : this.#publishers.fromKafka(partition, back, fresh, now);
        this.#post(posting, survives);
        break;
      }
      case 'webhookAgain': {
        const posting = this.#publishers.webhookAgain(step.which, now);
        if (posting !== undefined) this.#post(posting, true);
        break;
      }
      case 'renumber':
        this.#publishers.renumber(step.which);
        break;
      case 'advance':
        room.advance(step.ms);
        break;
      case 'connect': {
        const previous = this.#connection(step.client);
        if (previous !== undefined) room.disconnect(previous);
        const { acks, reads, maxRate } = step;
        const view = this.#view(step.client);
        const since = this.#since(view, step.since);
        this.#connections.set(
          step.client,
          room.connect(view, { acks, reads }, { since, maxRate }, step.lifetime),
        );
        break;
      }
      case 'subscribe':
        this.#with(step.client, (connection) => {
          const since = this.#since(connection.view, step.since);
          room.subscribe(connection, { since, maxRate: step.maxRate }, this.#newId());
        });
        break;
      case 'manners':
        this.#with(step.client, ({ manners }) => {
          manners.acks = step.acks;
          manners.reads = step.reads;
        });
        break;
      case 'read':
        this.#with(step.client, (connection) => room.read([connection], step.count));
        break;
      case 'ack':
        this.#with(step.client, (connection) => {
          const seq = (connection.view.cursor?.seq ?? 0) + step.distance;
          room.acknowledge(connection, Math.max(0, seq));
        });
        break;
      case 'unsubscribe':
        this.#with(step.client, (connection) => room.unsubscribe(connection, this.#newId()));
        break;
      case 'disconnect':
        this.#with(step.client, (connection) => room.disconnect(connection));
        break;
      case 'break':
        this.#with(step.client, (connection) => {
          connection.isBroken = true;
        });
        break;
      case 'stray':
        this.#with(step.client, (connection) => room.stray(connection, this.#newId()));
        break;
      case 'garbage':
        this.#with(step.client, (connection) => {
          for (let i = 0; i < step.times; i++) room.garbage(connection, GARBAGE[step.what]);
        });
        break;
      case 'flood':
        this.#with(step.client, (connection) => {
          for (let i = 0; i < step.count; i++) room.acknowledge(connection, 0);
        });
        break;
      case 'auth':
        this.#with(step.client, (connection) => {
          const { isGenuine } = step;
          const user = step.user === 'own' ? USER : 'another';
          room.authenticate(
            connection,
            { user, isGenuine, expiresAt: now + step.lifetime },
            this.#newId(),
          );
        });
        break;
      case 'checkToken':
        await room.checkToken();
        break;
      case 'sleep':
        room.sleep();
        break;
      case 'crash':
        room.crash();
        break;
      case 'depart':
        room.depart();
        this.#comeBack();
        break;
    }
    room.read();
    for (const connection of room.connections) {
      if (connection.closedFor !== undefined) room.disconnect(connection);
    }
  }

  /** Nothing happens for a while; then everyone is well-behaved again. */
  async rest(): Promise<void> {
    const room = this.#room;
    await room.checkTokens();
    room.advance(REST);
    promise(room.isIdle, () => `${room.clock.pending} timers are left when all is idle`);
    this.#mend();
    // A room that slept goes on where everyone stands.
    room.sleep();
    const content = { key: 0, size: 1, priority: 'low', lifetime: undefined } as const;
    this.#post(this.#publishers.webhook([content], room.clock.now()), true);
    room.advance(REST);
    this.#mend();
    for (const connection of room.connections) this.#judgeEnd(connection);
  }

  #mend(): void {
    const room = this.#room;
    for (const connection of room.connections) {
      if (connection.closedFor !== undefined || connection.isBroken) room.disconnect(connection);
      connection.manners.reads = true;
      connection.manners.acks = true;
    }
    room.read();
    room.advance(REST);
    promise(room.isIdle, () => `${room.clock.pending} timers are left when all is well`);
  }

  #judgeEnd({ transcript, view, closedFor, isSlow, request, expectations }: Connection): void {
    const { reference, clock } = this.#room;
    if (closedFor === 'token_expired') return;
    promise(closedFor === undefined, () => `closed at the end, for ${closedFor}`);
    expectations.rest();
    if (!transcript.isMember) return;
    const { cursor } = view;
    promise(cursor?.epoch === reference.epoch, () => `left in epoch ${cursor?.epoch}`);
    const owed = reference.owed(cursor.seq, reference.head, clock.now());
    promise(owed.length === 0, () => `at the end ${owed.map(({ seq }) => seq).join()} is owed`);
    if (!reference.isKeyed) return;
    const wrong = reference
      .snapshot(clock.now())
      .filter((seq) => view.latest.get(reference.entry(seq).key) !== seq);
    const how = JSON.stringify({ isSlow, request });
    promise(wrong.length === 0, () => `at the end the client has not ${wrong.join()}; ${how}`);
  }

  /** Those who were told so come back at once, with their cursors. */
  #comeBack(): void {
    for (const [client, { closedFor, view, manners, request }] of this.#connections) {
      if (closedFor !== 'shutdown') continue;
      const again = { since: view.cursor, maxRate: request.maxRate };
      this.#connections.set(client, this.#room.connect(view, manners, again, LIFETIME));
    }
  }

  #post({ batch, answered }: Posting, survives: boolean): void {
    this.#room.append(batch, survives);
    if (survives) answered();
  }

  /** Names a request in its answer. */
  #newId(): string {
    return `m${this.#messages++}`;
  }

  #since(view: View, kind: 'none' | 'cursor' | 'earlier' | 'bogus'): Cursor | undefined {
    const { cursor } = view;
    const { epoch, head } = this.#room.reference;
    switch (kind) {
      case 'none':
        return undefined;
      case 'cursor':
        return cursor;
      case 'earlier':
        return cursor && { epoch: cursor.epoch, seq: Math.max(0, cursor.seq - 2) };
      case 'bogus':
        return { epoch, seq: head + 3 };
    }
  }

  #view(client: number): View {
    const view = this.#views[client];
    if (view === undefined) throw new Error(`no client ${client}`);
    return view;
  }

  #connection(client: number): Connection | undefined {
    const connection = this.#connections.get(client);
    return connection !== undefined && this.#room.connections.includes(connection)
      ? connection
      : undefined;
  }

  #with(client: number, act: (connection: Connection) => void): void {
    const connection = this.#connection(client);
    if (connection !== undefined) act(connection);
  }
}
