/**
 * A room as its object serves it: sessions, the channel that they read, and one turn per event of the
 * platform's. It knows no platform: the Durable Object runs it in production, and tests and the
 * simulation run this very class.
 *
 * A turn is: who must go is let go; the event is obeyed; what is due is done; what changed is saved;
 * the timer is set. If anything in it fails, memory may be ahead of the disk. Then the object ends,
 * and it wakes from the disk, so that nobody is shown what was not kept.
 */
import { accessTo } from '../auth/access.ts';
import type { Identification } from '../auth/token.ts';
import type { Policy } from '../policy.ts';
import type { Cursor } from '../protocol/frames.ts';
import type { MaxRate } from '../protocol/messages.ts';
import type { RoomName } from '../protocol/rooms.ts';
import { Channel } from './channel.ts';
import { Budget } from './delivery/budget.ts';
import { Laggards } from './delivery/laggards.ts';
import { Losses } from './delivery/losses.ts';
import { Pace } from './delivery/pace.ts';
import { Intake, type RoomAnswer } from './intake/intake.ts';
import type { RoomBatch } from './intake/room-batch.ts';
import { readHistory } from './log/history.ts';
import type { Place } from './log/resume.ts';
import { Scheduler, type Timers } from './scheduler.ts';
import { type Attachment, attachmentOf, restoreSession } from './session/attachment.ts';
import { Conversation } from './session/conversation.ts';
import type { Socket } from './session/output.ts';
import type { Identity } from './session/session.ts';
import { Sessions } from './session/sessions.ts';
import { openStore, type Storage } from './store/open-store.ts';
import type { Store } from './store/store.ts';

/** How often a room that leaves something out says so in the log, in ms. */
const LOSSES_EVERY = 60_000;
/** The state that an object may show to new members at once, in characters: a few large rooms. */
const JOINING_BURST = 8 * 1024 * 1024;
/** The state that it may show them each ms, in characters: 16 MB/s. */
const JOINING_PER_MS = 16 * 1024;

/** Who joins, as the Worker has established it. */
export interface Joiner extends Identity {
  readonly since: Cursor | undefined;
  readonly maxRate: MaxRate | undefined;
  /** Where the client stands in `system`, or that it declines it; a new client says neither. */
  readonly system: Cursor | 'off' | undefined;
}

/** What a room needs of the platform. */
export interface RoomPorts {
  readonly timers: Timers;
  readonly storage: Storage;
  /** The sockets that were held when the object slept; `null` for one that was dismissed. */
  readonly sockets: readonly { readonly socket: Socket; readonly attachment: Attachment | null }[];
  /** When a socket last pinged, Unix ms; undefined for one that never did. */
  readonly lastPing: (socket: Socket) => number | undefined;
  readonly checkToken: (
    token: string,
  ) => Promise<Exclude<Identification, { readonly kind: 'anonymous' }>>;
  /** How many sockets may be held, and how many with those that are closing. */
  readonly maxSockets: { readonly held: number; readonly open: number };
  /** Ends the object. */
  readonly abort: (error: unknown) => void;
  /** Tells the operator. */
  readonly warn: (event: Readonly<Record<string, unknown>>) => void;
}

export class Room {
  readonly sessions: Sessions;
  readonly losses = new Losses();
  readonly #ports: RoomPorts;
  readonly #store: Store;
  readonly #intake: Intake;
  readonly #channel: Channel;
  readonly #conversation: Conversation;
  readonly #scheduler: Scheduler;
  readonly #turn = { number: 0 };
  #lossesReported = 0;
  #lossesReportedAt = 0;

  constructor(room: string, name: RoomName, policy: Policy, ports: RoomPorts) {
    const { timers, storage, sockets, lastPing, checkToken } = ports;
    const now = timers.now();
    this.#ports = ports;
    const toldEpoch = sockets.find(({ attachment }) => attachment !== null)?.attachment?.epoch;
    this.#store = openStore(policy, storage, toldEpoch, now);
    const { log, positions, webhookIds } = this.#store.state;
    this.#intake = new Intake(log, positions, webhookIds);
    const laggards = new Laggards(this.losses, new Budget(JOINING_BURST, JOINING_PER_MS));
    const channel = new Channel(room, log, policy, {
      pace: new Pace(),
      laggards,
      losses: this.losses,
    });
    this.#channel = channel;
    this.sessions = new Sessions({
      turn: this.#turn,
      isPrivate: policy.access !== 'anyone',
      lastPing,
      attachmentOf: (session) => attachmentOf(session, channel),
    });
    this.#conversation = new Conversation({
      sessions: this.sessions,
      channel,
      checkToken,
      opens: (user) => accessTo(name, user) === 'granted',
      turn: (act) => this.#inTurn(act),
    });
    this.#scheduler = new Scheduler(timers, [channel, laggards, this.#store], () => {
      this.#inTurn(() => {});
    });
    if (sockets.length > 0) this.#inTurn(() => this.#wake(now));
  }

  /** Takes the records of a batch that are this room's, and gives what is new to its members. */
  append(batch: RoomBatch): RoomAnswer {
    return this.#inTurn((now) => {
      const { answer, entries, priorities, changed } = this.#intake.append(batch, now);
      if (changed) this.#store.appended(now);
      if (entries.length > 0) this.#channel.appended(entries, priorities, now);
      this.#reportLosses(now);
      return answer;
    });
  }

  /** A page of the tail, as JSON. */
  history(start: Place | undefined, limit: number): string {
    const { room, log } = this.#channel;
    return readHistory(room, log, start, limit, this.#ports.timers.now());
  }

  /** Whether another socket may be held. */
  get hasSpace(): boolean {
    const { size, closing } = this.sessions;
    const { held, open } = this.#ports.maxSockets;
    return size < held && size + closing < open;
  }

  /** A socket was accepted: it is welcomed and subscribed. */
  connect(socket: Socket, { since, maxRate, ...identity }: Joiner): void {
    this.#inTurn((now) => {
      const session = this.sessions.hold(socket, identity);
      session.welcome();
      session.subscribe(this.#channel, { since, maxRate }, now);
    });
  }

  /** A message has come over a socket. Resolves when it has been obeyed. */
  receive(socket: Socket, data: string | ArrayBuffer): Promise<void> | void {
    return this.#inTurn((now) => {
      const session = this.sessions.of(socket);
      return session && this.#conversation.read(session, data, now);
    });
  }

  /** A socket is closed, or broken. */
  disconnect(socket: Socket): void {
    this.#inTurn(() => this.sessions.release(socket));
  }

  /** The platform's alarm went off. */
  alarm(): void {
    this.#inTurn((now) => this.#store.sweep(now));
  }

  #inTurn<Result>(act: (now: number) => Result): Result {
    const now = this.#ports.timers.now();
    this.#turn.number++;
    try {
      this.sessions.sweep(now);
      const result = act(now);
      this.#scheduler.run(now);
      this.sessions.saveChanged();
      this.#scheduler.arm(now);
      return result;
    } catch (error) {
      this.#ports.abort(error);
      throw error;
    }
  }

  /** Takes note of the sockets that were held before the object slept. */
  #wake(now: number): void {
    const held = this.#ports.sockets.flatMap(({ socket, attachment }) => {
      if (attachment === null) {
        this.sessions.holdClosing(socket);
        return [];
      }
      const { user, tokenExpiresAt } = attachment;
      return [{ session: this.sessions.hold(socket, { user, tokenExpiresAt }), attachment }];
    });
    // A token may have ended meanwhile, and then nothing more is sent.
    this.sessions.sweep(now);
    for (const { session, attachment } of held) {
      if (this.sessions.holds(session)) restoreSession(session, this.#channel, attachment, now);
    }
  }

  #reportLosses(now: number): void {
    const { total, conflated, gaps, slowConsumers } = this.losses;
    if (total === this.#lossesReported || now - this.#lossesReportedAt < LOSSES_EVERY) return;
    this.#lossesReported = total;
    this.#lossesReportedAt = now;
    const { room } = this.#channel;
    this.#ports.warn({ event: 'room_losses', room, conflated, gaps, slowConsumers });
  }
}
