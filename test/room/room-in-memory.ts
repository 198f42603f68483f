/** A log, its flusher and its audience on a clock that a test advances, and sockets that note all. */
import { POLICIES, type Policy } from '../../worker/policy.ts';
import type { Priority } from '../../worker/protocol/events.ts';
import type { RoomFrame } from '../../worker/protocol/frames.ts';
import { Flusher } from '../../worker/room/delivery/flusher.ts';
import type { Attachment, Member, Socket } from '../../worker/room/delivery/member.ts';
import { Log } from '../../worker/room/log/log.ts';
import { Audience } from '../../worker/room/session/audience.ts';
import type { Joiner } from '../../worker/room/session/joining.ts';
import { Clock } from '../simulation/clock.ts';

export const EPOCH = 7;

export class FakeSocket implements Socket {
  readonly texts: string[] = [];
  attachment: Attachment | null | undefined;
  closedFor: string | undefined;
  isBroken = false;
  bufferedAmount = 0;

  send(text: string): void {
    if (this.isBroken) throw new TypeError('closed');
    this.texts.push(text);
  }

  close(_code: number, reason: string): void {
    this.closedFor = reason;
  }

  serializeAttachment(attachment: Attachment | null): void {
    this.attachment = structuredClone(attachment);
  }

  get frames(): RoomFrame[] {
    return this.texts.map((text) => JSON.parse(text));
  }

  /** The numbers of each `events` frame. */
  get sent(): number[][] {
    return this.frames.flatMap((frame) =>
      frame.type === 'events' ? [frame.events.map(({ seq }) => seq)] : [],
    );
  }

  get types(): string[] {
    return this.frames.map(({ type }) => type);
  }
}

export interface Event {
  readonly priority?: Priority;
  readonly key?: string;
  readonly size?: number;
  readonly expiresAt?: number;
}

export class RoomInMemory {
  readonly clock: Clock;
  readonly log: Log;
  readonly flusher: Flusher;
  readonly audience: Audience;
  readonly pings = new Map<Socket, number>();

  readonly #policy: Policy;

  constructor(
    policy: Policy = POLICIES.trade,
    asleep?: { readonly log: Log; readonly clock: Clock; readonly sockets: FakeSocket[] },
  ) {
    this.#policy = policy;
    this.clock = asleep?.clock ?? new Clock();
    this.log =
      asleep?.log ?? new Log(policy, { epoch: EPOCH, head: 0, floor: 0, trimmed: 0, entries: [] });
    this.flusher = new Flusher({
      room: 'r',
      log: this.log,
      policy,
      timers: this.clock,
      lost: ({ socket }) => this.audience.leave(socket),
      tooSlow: (member) => this.audience.dismiss(member, 'slow_consumer'),
      beforeFlush: (now) => this.audience.sweep(now),
    });
    this.audience = new Audience({
      room: 'r',
      log: this.log,
      isPrivate: policy.access !== 'anyone',
      flusher: this.flusher,
      lastPing: (socket) => this.pings.get(socket),
    });
    for (const socket of asleep?.sockets ?? []) {
      this.audience.restore(socket, socket.attachment ?? null, this.now);
    }
  }

  get now(): number {
    return this.clock.now();
  }

  join(joiner: Partial<Joiner> = {}, socket = new FakeSocket()): FakeSocket {
    const nobody = { user: undefined, tokenExpiresAt: undefined, since: undefined };
    this.audience.join(socket, { ...nobody, maxRate: undefined, ...joiner }, this.now);
    return socket;
  }

  /** The room after a sleep, with these sockets. */
  wake(...sockets: FakeSocket[]): RoomInMemory {
    return new RoomInMemory(this.#policy, { log: this.log, clock: this.clock, sockets });
  }

  /** The member whose socket it is. */
  of(socket: Socket): Member {
    const member = this.audience.memberOf(socket);
    if (member === undefined) throw new Error('no member has this socket');
    return member;
  }

  ack(socket: FakeSocket, seq: number): void {
    this.flusher.acknowledge(this.of(socket), seq, this.now);
  }

  /** Appends event after event, each of which is flushed. */
  appendEach(...events: Event[]): void {
    for (const event of events) {
      this.append(event);
      this.clock.advance(1);
    }
  }

  /** Appends one event each, all in one batch. */
  append(...events: Event[]): void {
    const entries = events.map(({ key, size = 1, expiresAt }) =>
      this.log.append({ event: `{"p":"${'x'.repeat(size)}"}`, key, expiresAt }, this.now),
    );
    const priorities = events.map(({ priority = 'high' }) => priority);
    this.flusher.appended(entries, priorities, this.now);
  }
}
