/**
 * The Durable Object: turns what the platform does to it (calls, upgrades, messages, wakes, alarms)
 * into calls on the plain classes beside it. It owns no rules. Memory is a cache that the
 * constructor rebuilds from SQLite and the sockets' attachments.
 */
import { DurableObject } from 'cloudflare:workers';
import { accessTo } from '../auth/access.ts';
import { verifyToken } from '../auth/token.ts';
import { configOf, MOST_SOCKETS, maxSocketsOf, type Variables } from '../config.ts';
import { POLICIES } from '../policy.ts';
import { HTTP_ERRORS, type SocketErrorCode } from '../protocol/codes.ts';
import { encodeFrame, PING, PONG } from '../protocol/frames.ts';
import { type ClientMessage, readMessage } from '../protocol/messages.ts';
import { parseRoomName, type RoomName } from '../protocol/rooms.ts';
import { unreachable } from '../protocol/unreachable.ts';
import { canTakeAnswer } from './delivery/flow.ts';
import { Flusher, type Timers } from './delivery/flusher.ts';
import type { Attachment, Member } from './delivery/member.ts';
import { Intake, type RoomAnswer } from './intake/intake.ts';
import { type PackedBatch, unpack } from './intake/packed-batch.ts';
import { type HistoryStart, readHistory } from './log/history.ts';
import { Audience } from './session/audience.ts';
import type { Joiner } from './session/joining.ts';
import { MessageBudget } from './session/message-budget.ts';
import { SqliteChunks } from './store/chunks.ts';
import { DurableStore } from './store/durable-store.ts';
import type { LogStore } from './store/log-store.ts';
import { MemoryStore } from './store/memory-store.ts';

/** Carries a `Joiner` as JSON from the Worker, the only one who can call a room. */
export const JOINER_HEADER = 'x-gateway-joiner';
/** How often a room that leaves something out says so in the log, in ms. */
const LOSSES_EVERY = 60_000;
/** A socket that goes on sending what no client sends is closed. */
const MAX_INVALID_MESSAGES = 8;

export class Room extends DurableObject<Variables> {
  readonly #name: string;
  readonly #parsedName: RoomName;
  readonly #store: LogStore;
  readonly #intake: Intake;
  readonly #flusher: Flusher;
  readonly #audience: Audience;
  readonly #maxSockets: number;
  readonly #invalidMessages = new WeakMap<Member, number>();
  readonly #budgets = new WeakMap<Member, MessageBudget>();
  #lossesReported = 0;
  #lossesReportedAt = 0;

  constructor(ctx: DurableObjectState, env: Variables) {
    super(ctx, env);
    const name = ctx.id.name ?? '';
    const parsed = parseRoomName(name);
    if (parsed === undefined) throw new Error(`no room is called ${JSON.stringify(name)}`);
    const policy = POLICIES[parsed.class];
    const now = Date.now();
    this.#name = name;
    this.#parsedName = parsed;
    this.#maxSockets = maxSocketsOf(env);
    const sockets = ctx.getWebSockets().map((socket) => {
      const attachment: Attachment | null = socket.deserializeAttachment();
      return { socket, attachment };
    });
    const memberEpoch = sockets.find(({ attachment }) => attachment !== null)?.attachment?.epoch;
    const timers: Timers = {
      now: Date.now,
      setTimeout: (callback, ms) => setTimeout(() => this.#orAbort(callback), ms),
      clearTimeout: (timer) => clearTimeout(timer as number),
    };
    const chunks = new SqliteChunks(ctx.storage.sql);
    this.#store =
      policy.log === 'durable'
        ? new DurableStore(policy, chunks, (at) => this.#setAlarm(at), memberEpoch, now)
        : new MemoryStore(policy, chunks, memberEpoch, timers);
    const { log, positions, webhookIds } = this.#store.state;
    this.#intake = new Intake(log, positions, webhookIds);
    this.#flusher = new Flusher({
      room: name,
      log,
      policy,
      timers,
      lost: ({ socket }) => this.#audience.leave(socket),
      tooSlow: (member) => this.#audience.dismiss(member, 'slow_consumer'),
      beforeFlush: (at) => this.#audience.sweep(at),
    });
    this.#audience = new Audience({
      room: name,
      log,
      isPrivate: policy.access !== 'anyone',
      flusher: this.#flusher,
      lastPing: (socket) =>
        ctx.getWebSocketAutoResponseTimestamp(socket as WebSocket)?.getTime() ?? undefined,
    });
    for (const { socket, attachment } of sockets) this.#audience.restore(socket, attachment, now);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
  }

  /** Takes the records of a batch that are this room's, and sends what is new to its members. */
  append(packed: PackedBatch): RoomAnswer {
    return this.#orAbort(() => {
      const now = Date.now();
      const { answer, entries, priorities, changed } = this.#intake.take(unpack(packed), now);
      if (changed) this.#store.appended(now);
      if (entries.length > 0) this.#flusher.appended(entries, priorities, now);
      this.#reportLosses(now);
      return answer;
    });
  }

  #reportLosses(now: number): void {
    const { losses } = this.#flusher;
    if (losses.total === this.#lossesReported || now - this.#lossesReportedAt < LOSSES_EVERY)
      return;
    this.#lossesReported = losses.total;
    this.#lossesReportedAt = now;
    const { conflated, gaps, slowConsumers } = losses;
    console.warn({ event: 'room_losses', room: this.#name, conflated, gaps, slowConsumers });
  }

  /** A page of the tail, as JSON. */
  history(start: HistoryStart | undefined, limit: number): string {
    return readHistory(this.#name, this.#store.state.log, start, limit, Date.now());
  }

  /** A WebSocket upgrade, from the Worker's connect route. */
  override fetch(request: Request): Response {
    const { size, closing } = this.#audience;
    if (size >= this.#maxSockets || size + closing >= MOST_SOCKETS) {
      return new Response(null, { status: HTTP_ERRORS.room_full.status });
    }
    const joiner: Joiner = JSON.parse(request.headers.get(JOINER_HEADER) ?? '{}');
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    this.#audience.join(server, joiner, Date.now());
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> | void {
    const member = this.#audience.memberOf(socket);
    if (member === undefined) return;
    return this.#orAbort(() => this.#read(member, data));
  }

  #read(member: Member, data: string | ArrayBuffer): Promise<void> | void {
    const now = Date.now();
    this.#audience.sweep(now);
    if (this.#audience.memberOf(member.socket) !== member) return;
    const budget = this.#budgets.get(member) ?? new MessageBudget(now);
    this.#budgets.set(member, budget);
    if (!budget.spend(now)) return this.#audience.dismiss(member, 'too_many_messages');
    // Who asks and never reads would fill our memory with answers.
    if (!canTakeAnswer(member)) return this.#audience.dismiss(member, 'slow_consumer');
    const reading = readMessage(data);
    switch (reading.kind) {
      case 'message':
        return this.#obey(member, reading.message);
      case 'invalid':
        return this.#refuse(member, reading.complaint, reading.id);
      case 'too_long':
        return this.#audience.dismiss(member, 'message_invalid');
      default:
        return unreachable(reading);
    }
  }

  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    this.#audience.leave(socket);
    // Completes the handshake; without it the client waits ten seconds and sees 1006. Codes below
    // 3000 other than 1000 are not for an application to send.
    if (code === 1000 || code >= 3000) socket.close(code, reason);
    else socket.close();
  }

  override webSocketError(socket: WebSocket): void {
    this.#audience.leave(socket);
  }

  override alarm(): void {
    this.#orAbort(() => this.#store.sweep(Date.now()));
  }

  #obey(member: Member, message: ClientMessage): Promise<void> | void {
    if (message.type === 'auth') return this.#authenticate(member, message.id, message.token);
    if (message.room !== this.#name) {
      const text = `this socket is of ${this.#name}: connect to the other room`;
      const id = message.type === 'ack' ? undefined : message.id;
      tell(member, 'room_elsewhere', text, id, message.room);
      return;
    }
    const now = Date.now();
    switch (message.type) {
      case 'subscribe':
        return this.#audience.subscribe(member, message, now);
      case 'unsubscribe':
        return this.#audience.unsubscribe(member, message.id);
      case 'ack':
        return this.#flusher.acknowledge(member, message.seq, now);
      default:
        return unreachable(message);
    }
  }

  /** Takes a new token for the old one, of the same user and as good for this room. */
  async #authenticate(member: Member, id: string | undefined, token: string): Promise<void> {
    const { jwtSecret } = await configOf(this.env);
    const identity = await verifyToken(token, jwtSecret);
    if (identity.kind === 'refused') {
      return tell(member, identity.code, 'the token does not hold', id);
    }
    const isOther = member.user !== undefined && identity.user !== member.user;
    if (isOther || accessTo(this.#parsedName, identity) !== 'granted') {
      return tell(member, 'room_forbidden', 'the token is not for this socket', id);
    }
    // It may have left, or have to go, meanwhile.
    this.#audience.sweep(Date.now());
    if (this.#audience.memberOf(member.socket) !== member) return;
    this.#audience.renew(member, identity);
  }

  #refuse(member: Member, complaint: string, id: string | undefined): void {
    const count = (this.#invalidMessages.get(member) ?? 0) + 1;
    this.#invalidMessages.set(member, count);
    if (count > MAX_INVALID_MESSAGES) this.#audience.dismiss(member, 'message_invalid');
    else tell(member, 'message_invalid', complaint, id);
  }

  #setAlarm(at: number): void {
    this.ctx.waitUntil(this.ctx.storage.setAlarm(at));
  }

  /** Memory that is ahead of the disk must not be seen: the object ends, and wakes from the disk. */
  #orAbort<Result>(act: () => Result): Result {
    try {
      return act();
    } catch (error) {
      console.error({ event: 'room_aborted', room: this.#name, error: String(error) });
      this.ctx.abort(String(error));
      throw error;
    }
  }
}

function tell(
  { socket }: Member,
  code: SocketErrorCode,
  message: string,
  id?: string,
  room?: string,
): void {
  socket.send(
    encodeFrame({
      type: 'error',
      ...(id === undefined ? {} : { id }),
      ...(room === undefined ? {} : { room }),
      code,
      message,
    }),
  );
}
