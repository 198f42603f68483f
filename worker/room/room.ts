/**
 * The Durable Object: turns what the platform does to it (calls, upgrades, messages, wakes, alarms)
 * into calls on the plain classes beside it. It owns no rules. Memory is a cache that the
 * constructor rebuilds from SQLite and the sockets' attachments.
 */
import { DurableObject } from 'cloudflare:workers';
import { maxSocketsOf, type Variables } from '../config.ts';
import { POLICIES } from '../policy.ts';
import { HTTP_ERRORS } from '../protocol/codes.ts';
import { encodeFrame, PING, PONG } from '../protocol/frames.ts';
import { parseRoomName } from '../protocol/rooms.ts';
import { Audience, type Member } from './audience.ts';
import { SqliteChunks } from './chunks.ts';
import { DurableStore } from './durable-store.ts';
import { Intake, type RoomAnswer } from './intake.ts';
import { eventsFrames, type Joiner, joiningFrames, MAX_MESSAGE_LENGTH } from './joining.ts';
import type { LogStore } from './log-store.ts';
import { MemoryStore } from './memory-store.ts';
import { type PackedBatch, unpack } from './packed-batch.ts';

/** Carries a `Joiner` as JSON from the Worker, the only one who can call a room. */
export const JOINER_HEADER = 'x-gateway-joiner';
/** A socket that goes on sending what no client sends is closed. */
const MAX_INVALID_MESSAGES = 8;

export class Room extends DurableObject<Variables> {
  readonly #name: string;
  readonly #store: LogStore;
  readonly #intake: Intake;
  readonly #audience: Audience;
  readonly #maxSockets: number;
  readonly #invalidMessages = new WeakMap<WebSocket, number>();

  constructor(ctx: DurableObjectState, env: Variables) {
    super(ctx, env);
    const name = ctx.id.name ?? '';
    const parsed = parseRoomName(name);
    if (parsed === undefined) throw new Error(`no room is called ${JSON.stringify(name)}`);
    const policy = POLICIES[parsed.class];
    this.#name = name;
    this.#maxSockets = maxSocketsOf(env);
    this.#audience = new Audience(policy.access !== 'anyone');
    let memberEpoch: number | undefined;
    for (const socket of ctx.getWebSockets()) {
      const member: Member | null = socket.deserializeAttachment();
      if (member === null) {
        this.#audience.restoreClosing(socket);
        continue;
      }
      memberEpoch = member.epoch;
      this.#audience.join(socket, member);
    }
    const chunks = new SqliteChunks(ctx.storage.sql);
    this.#store =
      policy.log === 'durable'
        ? new DurableStore(policy, chunks, (at) => this.#setAlarm(at), memberEpoch, Date.now())
        : new MemoryStore(policy, chunks, memberEpoch, {
            now: Date.now,
            setTimeout: (callback, ms) => setTimeout(() => this.#orAbort(callback), ms),
          });
    const { log, positions, webhookIds } = this.#store.state;
    this.#intake = new Intake(log, positions, webhookIds);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
  }

  /** Takes the records of a batch that are this room's, and sends what is new to its members. */
  append(batch: PackedBatch): RoomAnswer {
    return this.#orAbort(() => {
      const now = Date.now();
      const after = this.#store.state.log.head;
      const { answer, entries, changed } = this.#intake.take(unpack(batch), now);
      if (changed) this.#store.appended(now);
      if (entries.length > 0 && this.#audience.size > 0) {
        this.#audience.broadcast(eventsFrames(this.#name, after, entries), now);
      }
      return answer;
    });
  }

  /** A WebSocket upgrade, from the Worker's connect route. */
  override fetch(request: Request): Response {
    if (this.#audience.size + this.#audience.closing >= this.#maxSockets) {
      return new Response(null, { status: HTTP_ERRORS.room_full.status });
    }
    const joiner: Joiner = JSON.parse(request.headers.get(JOINER_HEADER) ?? '{}');
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    const { log } = this.#store.state;
    const member: Member = { epoch: log.epoch, tokenExpiresAt: joiner.tokenExpiresAt };
    server.serializeAttachment(member);
    // In one turn with the append that may follow: the frames join on to each other.
    for (const frame of joiningFrames(this.#name, log, joiner, Date.now())) server.send(frame);
    this.#audience.join(server, member);
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(socket: WebSocket, text: string | ArrayBuffer): void {
    if (!this.#audience.has(socket)) return;
    const count = (this.#invalidMessages.get(socket) ?? 0) + 1;
    this.#invalidMessages.set(socket, count);
    const length = typeof text === 'string' ? text.length : text.byteLength;
    if (count > MAX_INVALID_MESSAGES || length > MAX_MESSAGE_LENGTH) {
      this.#audience.dismiss(socket, 'message_invalid');
      return;
    }
    const message = `this socket is subscribed by its address; it reads no message but ${PING}`;
    socket.send(encodeFrame({ type: 'error', code: 'message_invalid', message }));
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
