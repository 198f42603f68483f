/**
 * A state that is shown in parts, while everything else goes on: events, requests, acks, stalls,
 * sleeps. The client here does what PROTOCOL.md tells it (R4 to R6), and nothing else.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { POLICIES } from '../../worker/policy.ts';
import type { RoomFrame } from '../../worker/protocol/frames.ts';
import { MAX_RATES, type MaxRate } from '../../worker/protocol/messages.ts';
import { type Event, FakeSocket, RoomInMemory } from './room-in-memory.ts';

const KEYS = 60;
/** Sizes of events, in characters: several small ones make a part, and the last is more than a part. */
const SIZES = [100, 3_000, 20_000, 40_000];
const PRIORITIES = ['high', 'medium', 'low'] as const;

type Snapshot = RoomFrame & { readonly type: 'snapshot' };

class PlainClient {
  readonly socket = new FakeSocket();
  /** What it shows: the number of the latest event of each key. */
  readonly shown = new Map<string, number>();
  readonly #keyOf: (seq: number) => string;
  #read = 0;
  #epoch = 0;
  cursor: number | undefined;
  acks = false;
  isMember = false;
  /** The parts that it has of a state that is being shown; undefined when none is. */
  parts: Snapshot[] | undefined;
  #asked: number | undefined;

  constructor(keyOf: (seq: number) => string) {
    this.#keyOf = keyOf;
  }

  get isGone(): boolean {
    return this.socket.closedFor !== undefined;
  }

  /** What it acks: the state that it has a part of, or where it stands. */
  get place(): number | undefined {
    return this.parts?.at(-1)?.seq ?? this.cursor;
  }

  request(withCursor: boolean): object {
    const { cursor } = this;
    this.#asked = withCursor && this.parts === undefined ? cursor : undefined;
    if (this.#asked === undefined) return {};
    return { since: { epoch: this.#epoch, seq: this.#asked } };
  }

  read(): void {
    for (const text of this.socket.texts.slice(this.#read)) this.#apply(JSON.parse(text));
    this.#read = this.socket.texts.length;
  }

  #apply(frame: RoomFrame): void {
    switch (frame.type) {
      case 'subscribed':
        this.isMember = true;
        this.#epoch = frame.epoch;
        this.parts = frame.recovered ? undefined : [];
        if (frame.recovered) this.cursor = this.#asked ?? this.cursor;
        return;
      case 'gap':
        expect(frame.from).toBe(this.cursor);
        this.parts = [];
        return;
      case 'snapshot':
        expect(this.parts).toBeDefined();
        this.parts?.push(frame);
        if (frame.more !== true) this.#takeState();
        return;
      case 'events':
        expect(this.parts).toBeUndefined();
        expect(this.isMember).toBe(true);
        expect(frame.after).toBe(this.cursor);
        for (const { seq } of frame.events) {
          expect(seq).toBeGreaterThan(this.cursor ?? 0);
          this.cursor = seq;
          this.shown.set(this.#keyOf(seq), seq);
        }
        return;
      case 'unsubscribed':
        this.isMember = false;
        this.parts = undefined;
    }
  }

  #takeState(): void {
    const parts = this.parts ?? [];
    const seqs = parts.flatMap(({ events }) => events.map(({ seq }) => seq));
    const [head] = new Set(parts.map(({ seq }) => seq));
    expect(parts.every(({ seq }) => seq === head)).toBe(true);
    expect(seqs).toEqual([...new Set(seqs)].sort((one, other) => one - other));
    expect(seqs.at(-1) ?? 0).toBeLessThanOrEqual(head ?? 0);
    this.shown.clear();
    for (const seq of seqs) this.shown.set(this.#keyOf(seq), seq);
    expect(this.shown.size).toBe(seqs.length);
    this.cursor = head;
    this.parts = undefined;
  }
}

interface Step {
  readonly kind: string;
  /** Which of the clients that are connected. */
  readonly who?: number;
  readonly ms?: number;
  readonly since?: boolean;
  readonly maxRate?: MaxRate | undefined;
  readonly events?: Event[];
}

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('join'), maxRate: fc.constantFrom(undefined, ...MAX_RATES) }),
  fc.record({
    kind: fc.constant('append'),
    events: fc.array(
      fc.record({
        key: fc.integer({ min: 0, max: KEYS - 1 }).map(String),
        size: fc.constantFrom(...SIZES),
        priority: fc.constantFrom(...PRIORITIES),
      }),
      { minLength: 1, maxLength: 10 },
    ),
  }),
  fc.record({ kind: fc.constant('advance'), ms: fc.constantFrom(1, 5, 11, 30, 300, 1_000) }),
  fc.record({ kind: fc.constantFrom('stall', 'take', 'ack'), who: fc.nat(9) }),
  fc.record({ kind: fc.constant('subscribe'), who: fc.nat(9), since: fc.boolean() }),
  fc.record({ kind: fc.constantFrom('unsubscribe', 'sleep'), who: fc.nat(9) }),
);

it.each(['price_updates', 'trade'] as const)(
  'R6: the parts of a state and the events after it are all there, once and in order: %s',
  (kind) => {
    const base = POLICIES[kind];
    const policies = [{}, { entries: 60, characters: 200_000, keys: 40 }].map((bounds) => ({
      ...base,
      retention: { ...base.retention, ...bounds },
    }));
    const life = fc.record({
      policy: fc.constantFrom(...policies),
      steps: fc.array(step, { maxLength: 80 }),
    });
    fc.assert(
      fc.property(life, ({ policy, steps }) => {
        let room = new RoomInMemory(policy);
        const keys: string[] = [];
        const keyOf = (seq: number) => (kind === 'trade' ? String(seq) : (keys[seq - 1] ?? ''));
        const clients: PlainClient[] = [];
        const append = (events: readonly Event[]) => {
          keys.push(...events.map(({ key = '' }) => key));
          room.append(...(kind === 'trade' ? events.map(({ key: _, ...event }) => event) : events));
        };
        append(Array.from({ length: KEYS }, (_, key) => ({ key: String(key), size: 3_000 })));
        for (const { kind: act, who = 0, ...fields } of steps) {
          const living = clients.filter(({ isGone }) => !isGone);
          const client = living[who % living.length];
          if (act === 'join') {
            const joining = new PlainClient(keyOf);
            clients.push(joining);
            room.join({ maxRate: fields.maxRate }, joining.socket);
          } else if (act === 'append') append(fields.events ?? []);
          else if (act === 'advance') room.clock.advance(fields.ms ?? 1);
          else if (act === 'sleep') {
            room.clock.advance(4_000);
            // What waits for a timer keeps an object awake.
            if (room.clock.pending === 0) room = room.wake(...living.map(({ socket }) => socket));
          }
          for (const each of clients) each.read();
          if (client === undefined || client.isGone) continue;
          if (act === 'stall') room.stall(client.socket);
          if (act === 'take') client.socket.bufferedAmount = 0;
          if (act === 'ack' && client.place !== undefined) {
            client.acks = true;
            room.ack(client.socket, client.place);
          }
          if (act === 'unsubscribe') room.unsubscribe(client.socket);
          if (act === 'subscribe')
            room.subscribe(client.socket, client.request(fields.since ?? false));
          client.read();
        }
        for (let turn = 0; turn < 100; turn++) {
          for (const client of clients) {
            client.socket.bufferedAmount = 0;
            client.read();
            if (client.acks && !client.isGone) room.ack(client.socket, client.place ?? 0);
          }
          room.clock.advance(50);
        }
        expect(room.aborted).toBeUndefined();
        const latest = new Map(keys.map((_, index) => [keyOf(index + 1), index + 1]));
        const kept = [...latest.values()].sort((a, b) => b - a).slice(0, policy.retention.keys);
        for (const client of clients) {
          client.read();
          if (client.isGone || !client.isMember) continue;
          expect(client.parts).toBeUndefined();
          expect(client.cursor).toBe(keys.length);
          if (kind === 'trade') continue;
          for (const seq of kept) expect(client.shown.get(keyOf(seq))).toBe(seq);
        }
      }),
      { numRuns: 150 },
    );
  },
);

it('a part that was made for one slow reader is made anew for another when an event of it has expired', () => {
  const policy = { ...POLICIES.trade, snapshot: { kind: 'tail', events: 3 } as const };
  const room = new RoomInMemory(policy);
  const soon = room.now + 2_000;
  room.appendEach({ size: 12_000 }, { size: 40_000, expiresAt: soon }, {});
  const slow = () => {
    const socket = new FakeSocket();
    socket.send = (text) => {
      socket.texts.push(text);
      socket.bufferedAmount += text.includes('snapshot') ? 40_000 : 0;
    };
    return room.join({}, socket);
  };
  const [one, other] = [slow(), slow()];
  // A new reader is not shown the second event any more.
  room.appendEach({}, {});
  const shown = ({ frames }: FakeSocket) =>
    frames.flatMap((frame) =>
      frame.type === 'snapshot' ? frame.events.map(({ seq }) => seq) : [],
    );
  one.bufferedAmount = 0;
  room.clock.advance(1_000);
  expect([shown(one), shown(other)]).toEqual([[1, 2], [1]]);
  room.clock.advance(1_000);
  other.bufferedAmount = 0;
  room.clock.advance(1_000);
  expect(shown(other)).toEqual([1, 3]);
});
