/**
 * A room as its object serves it: sessions, the channels that they read, and one turn per event of the
 * platform's. It knows no platform: the Durable Object runs it in production, and tests and the
 * simulation run this very class. An object is the root of its room, which has the log and takes events,
 * or a branch of it, which follows the log elsewhere.
 *
 * A turn is: who must go is let go; the event is obeyed; what is due is done; what changed is saved;
 * the timer is set. If anything in it fails, memory may be ahead of the disk. Then the object ends,
 * and it wakes from the disk, so that nobody is sent what was not kept.
 */
import { accessTo } from '../auth/access.ts';
import type { Policy } from '../policy.ts';
import type { Cursor } from '../protocol/frames.ts';
import { SYSTEM_ROOM } from '../protocol/rooms.ts';
import { Alarm } from './alarm.ts';
import { Channels } from './channels.ts';
import { Laggards } from './delivery/laggards.ts';
import { Losses } from './delivery/losses.ts';
import { Pace, RELAY_FLUSH_SHARE } from './delivery/pace.ts';
import { Departure } from './departure.ts';
import type { FollowAnswer, FollowCall, PushAnswer, PushCall } from './follow/calls/objects.ts';
import type { RoomAnswer } from './intake/intake.ts';
import type { RoomBatch } from './intake/room-batch.ts';
import { readHistory } from './log/history.ts';
import type { Log } from './log/log.ts';
import type { Place } from './log/resume.ts';
import type { Joiner, RoomIdentity, RoomPorts } from './ports.ts';
import { Root } from './root.ts';
import { Scheduler } from './scheduler.ts';
import { admissionToAll, admissionToOne, isPrivate } from './session/admission/admission.ts';
import { EventlessRooms } from './session/admission/eventless-rooms.ts';
import { attachmentOf } from './session/attachment.ts';
import { Conversation } from './session/conversation.ts';
import type { Socket } from './session/output/output.ts';
import { RELAY_SOCKET, ROOM_SOCKET } from './session/profile.ts';
import type { Session } from './session/session.ts';
import { Sessions } from './session/sessions.ts';
import { wakeSessions } from './session/wake.ts';
import { PresentTurn, type Turn } from './turn.ts';

/** An object that wakes does not know for what. */
const UNKNOWN_CAUSE = { answers: 'either', depth: Number.POSITIVE_INFINITY } as const;

export class Room {
  readonly sessions: Sessions;
  readonly losses = new Losses();
  readonly departure: Departure;
  readonly #identity: RoomIdentity;
  readonly #policyOf: (room: string) => Policy;
  readonly #ports: RoomPorts;
  readonly #root: Root | undefined;
  readonly #channels: Channels;
  readonly #conversation: Conversation;
  readonly #eventless = new EventlessRooms((room) => this.#channels.followingOf(room));
  readonly #pace: Pace;
  readonly #alarm: Alarm;
  readonly #scheduler: Scheduler;
  readonly #turn = new PresentTurn();

  constructor(identity: RoomIdentity, policyOf: (room: string) => Policy, ports: RoomPorts) {
    const { object, room, name, branch } = identity;
    const { timers, storage, sockets, lastPing, checkToken, objects, region, width, largeLog } =
      ports;
    const now = timers.now();
    this.#identity = identity;
    this.#policyOf = policyOf;
    this.#ports = ports;
    this.#pace = new Pace(room === undefined ? RELAY_FLUSH_SHARE : undefined);
    if (branch === undefined && room !== undefined) {
      const held = sockets.find(({ attachment }) => attachment !== null);
      const setAlarm = (at: number) => this.#alarm.ask(at);
      const rootStorage = { chunks: storage.chunks, setAlarm };
      this.#root = new Root(policyOf(room), rootStorage, held?.attachment?.epoch, now);
    }
    this.#alarm = new Alarm(storage.setAlarm, this.#root?.store.alarmAt);
    const turn = (act: (now: number) => void, depth = 0) => this.#inTurn(act, { depth });
    const laggards = new Laggards(this.losses);
    const channelsPorts = {
      object,
      room,
      branch,
      policyOf,
      objects,
      region,
      width,
      largeLog,
      turn,
      now: timers.now,
      random: ports.random,
      warn: ports.warn,
      present: this.#turn,
      shared: { pace: this.#pace, laggards, losses: this.losses },
      rows: storage.followRows,
      // A crash closes the sockets, and a branch has none.
      hasSlept: (branch !== undefined && room !== undefined) || sockets.length > 0,
      forget: (followed: string) => this.#forget(followed),
    };
    this.#channels = new Channels(channelsPorts, this.#root?.log);
    this.sessions = new Sessions({
      turn: this.#turn,
      profile: room === undefined ? RELAY_SOCKET : ROOM_SOCKET,
      isPrivate: ({ subscriptions }) => this.#takesToken([...subscriptions.keys()]),
      lastPing,
      attachmentOf: (session) => attachmentOf(session, room === undefined ? 0 : this.#log.epoch),
    });
    const channelOf = (wanted: string) => this.#channels.of(wanted);
    this.#conversation = new Conversation({
      sessions: this.sessions,
      admission:
        room === undefined
          ? admissionToAll(channelOf, ports.symbols, this.#eventless)
          : admissionToOne(room, channelOf),
      checkToken,
      opens: (user) => name === undefined || accessTo(name, user) === 'granted',
      turn,
    });
    const parts = [this.#channels, laggards, ...(this.#root ? [this.#root.store] : [])];
    this.#scheduler = new Scheduler(timers, parts, this.#turn, (depth) => turn(() => {}, depth));
    const saved = [this.#channels, ...(this.#root ? [this.#root.store] : [])];
    this.departure = new Departure(ports, { saved, sessions: this.sessions }, now);
    if (sockets.length === 0) return;
    const waking = {
      channelOf,
      takesToken: (rooms: readonly string[]) => this.#takesToken(rooms),
      eventless: this.#eventless,
    };
    this.#inTurn(() => wakeSessions(this.sessions, sockets, waking, now), UNKNOWN_CAUSE);
  }

  /** Takes the records of a batch that are this room's, and gives what is new to its members. */
  append(batch: RoomBatch): RoomAnswer {
    return this.#inTurn((now) => {
      const { answer, entries, priorities } = this.#rootOf('append').append(batch, now);
      if (entries.length > 0) {
        this.#channels.own.channel.appended(entries, priorities, now);
        this.#channels.own.grown(now);
      }
      const losses = this.losses.due(now);
      if (losses !== undefined) this.#ports.warn({ ...losses, room: this.#identity.object });
      return answer;
    });
  }

  /** A page of the tail, as JSON. */
  history(start: Place | undefined, limit: number): string {
    return readHistory(
      this.#channels.own.channel.room,
      this.#log,
      start,
      limit,
      this.#ports.timers.now(),
    );
  }

  /** Another object asks to follow the room. */
  follow(call: FollowCall): FollowAnswer {
    return this.#inTurn(
      (now) => {
        this.#root?.store.keepEpoch(now);
        return this.#channels.follow(call, now);
      },
      { answers: 'follow', depth: call.depth },
    );
  }

  /** The upstream of a room that is followed here pushes. */
  push(call: PushCall): PushAnswer {
    return this.#inTurn((now) => this.#channels.push(call, now), {
      answers: 'push',
      depth: call.depth,
    });
  }

  /** Whether another socket may be held. */
  get hasSpace(): boolean {
    const { size, closing } = this.sessions;
    const { held, open } = this.#ports.maxSockets;
    return size < held && size + closing < open;
  }

  /** A socket was accepted: it is welcomed and subscribed. */
  connect(socket: Socket, { since, maxRate, system, ...identity }: Joiner): void {
    this.#inTurn((now) => {
      const session = this.sessions.hold(socket, identity);
      session.welcome();
      // A wake must know of it, though it may not be subscribed to anything.
      session.changed();
      if (this.#identity.room !== undefined) {
        const { channel } = this.#channels.own;
        // A client that says at each address where it stands in `system` means the same by it here.
        const place = channel.room === SYSTEM_ROOM && system !== 'off' ? (since ?? system) : since;
        session.subscribe(channel, { since: place, maxRate }, now);
      }
      if (system !== 'off') this.#subscribeSystem(session, system, now);
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
    this.#inTurn((now) => {
      this.#alarm.wentOff();
      this.#root?.store.sweep(now);
      this.#channels.alarm(now);
    });
  }

  get #log(): Log {
    return this.#channels.own.channel.log;
  }

  #rootOf(call: string): Root {
    if (this.#root === undefined) throw new Error(`${call} is for the root of a room`);
    return this.#root;
  }

  /** @param cause which call of another object the turn answers, and how many calls led to it. */
  #inTurn<Result>(
    act: (now: number) => Result,
    cause: Partial<Pick<Turn, 'answers' | 'depth'>> = {},
  ): Result {
    const now = this.#ports.timers.now();
    this.#turn.begin(cause);
    try {
      this.sessions.sweep(now);
      const result = act(now);
      this.#scheduler.run(now);
      this.sessions.sendOutgoing();
      this.#pace.settle(this.#turn, now);
      this.#channels.tidy();
      this.sessions.saveChanged();
      if (this.#isVoid(now)) this.#clear();
      else if (cause.answers !== 'either') this.#alarm.ask(this.#channels.alarmAt(now));
      this.#channels.rest(now);
      this.#scheduler.arm(now);
      this.departure.run(now);
      return result;
    } catch (error) {
      this.#ports.abort(error);
      throw error;
    }
  }

  /** Nobody follows a room here any more, nor does this object. A branch is nothing else. */
  #forget(room: string): void {
    const { room: own, branch } = this.#identity;
    if (branch !== undefined && room === own) this.#clear();
    else this.#channels.forget(room);
  }

  /** Whether it holds nobody, is followed by nobody, and has never had anything to give. */
  #isVoid(now: number): boolean {
    if (this.sessions.size > 0 || !this.#channels.isForsaken) return false;
    return this.#root?.isUntouched(now) ?? true;
  }

  /** Leaves nothing behind, so that nobody makes objects that stay by asking for rooms. */
  #clear(): void {
    this.#channels.forgetAll();
    this.#root?.store.cleared();
    this.#alarm.wentOff();
    this.#ports.storage.clear();
  }

  /** A session reads `system` without asking, beside the room that it has come for. */
  #subscribeSystem(session: Session, since: Cursor | undefined, now: number): void {
    const channel = this.#channels.of(SYSTEM_ROOM);
    if (channel === undefined || this.#identity.room === SYSTEM_ROOM) return;
    session.subscribe(channel, { since }, now);
  }

  /** Whether a session of these rooms may be sent something only while its token has not ended. */
  #takesToken(rooms: readonly string[]): boolean {
    const { room } = this.#identity;
    return room === undefined ? rooms.some(isPrivate) : this.#policyOf(room).access !== 'anyone';
  }
}
