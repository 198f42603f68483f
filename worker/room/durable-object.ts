/**
 * The Durable Object: it turns what the platform does to it (calls, upgrades, messages, wakes,
 * alarms) into calls on the plain `Room`, and gives the room its clock, storage and sockets. It owns
 * no rule. Memory is a cache that the constructor rebuilds from SQLite and the sockets' attachments.
 */
import { DurableObject } from 'cloudflare:workers';
import { verifyToken } from '../auth/token.ts';
import { configOf, MOST_SOCKETS, maxFollowersOf, maxSocketsOf, regionOf } from '../config.ts';
import type { Env } from '../env.ts';
import { policyOf } from '../policy.ts';
import { HTTP_ERRORS } from '../protocol/codes.ts';
import { PING, PONG } from '../protocol/frames.ts';
import { nameOfRoom } from '../protocol/rooms.ts';
import { objectStub } from '../room-call.ts';
import { symbolsOf } from '../symbols.ts';
import { versionIn, versionOf } from '../version.ts';
import { parseObjectName } from './follow/branches.ts';
import { answerObject, objectsOver } from './follow/calls/requests.ts';
import { LARGE_LOG } from './follow/large-logs.ts';
import { SqliteFollowRows } from './follow/rows.ts';
import type { RoomAnswer } from './intake/intake.ts';
import type { RoomBatch } from './intake/room-batch.ts';
import type { Place } from './log/resume.ts';
import type { Joiner } from './ports.ts';
import { Room as PlainRoom } from './room.ts';
import { decodeAttachment } from './session/attachment.ts';
import { SqliteChunks } from './store/chunks.ts';

/** This header carries a `Joiner` as JSON from the Worker, which alone can call an object. */
export const JOINER_HEADER = 'x-gateway-joiner';

/** Frames and answers have long left the object by then, once the output gate is open, in ms. */
const SENDING_TIME = 250;

/** A header holds no character beyond Latin-1, and a user's id may have any. */
export function encodeJoiner(joiner: Joiner): string {
  return encodeURIComponent(JSON.stringify(joiner));
}

export class Room extends DurableObject<Env> {
  readonly #room: PlainRoom;
  /** Never settles; undefined until the object leaves. */
  #leaving: Promise<never> | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const object = ctx.id.name ?? '';
    const parsed = parseObjectName(object);
    if (parsed === undefined) throw new Error(`no object is called ${JSON.stringify(object)}`);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    const { room: name, branch } = parsed;
    const room = name && nameOfRoom(name);
    const chunks = new SqliteChunks(ctx.storage.sql);
    const followRows = new SqliteFollowRows(ctx.storage.sql);
    this.#room = new PlainRoom({ object, room, name, branch }, policyOf, {
      timers: {
        now: Date.now,
        setTimeout: (callback, ms) => setTimeout(callback, ms),
        clearTimeout: (timer) => clearTimeout(timer as number),
      },
      storage: {
        chunks,
        followRows,
        setAlarm: (at) => ctx.waitUntil(ctx.storage.setAlarm(at)),
        clear: () => {
          // Whoever has written nothing else has set no alarm either.
          if (!chunks.table.exists && !followRows.table.exists) return;
          ctx.waitUntil(ctx.storage.deleteAll());
          chunks.table.noteCleared();
          followRows.table.noteCleared();
        },
      },
      objects: objectsOver(
        (other) => objectStub(env, other),
        () => this.#room.departure.newest,
      ),
      region: branch?.region ?? regionOf(env),
      width: maxFollowersOf(env),
      largeLog: LARGE_LOG,
      symbols: symbolsOf(env),
      random: Math.random,
      sockets: ctx.getWebSockets().map((socket) => ({
        socket,
        attachment: decodeAttachment(socket.deserializeAttachment()),
      })),
      lastPing: (socket) =>
        ctx.getWebSocketAutoResponseTimestamp(socket as WebSocket)?.getTime() ?? undefined,
      checkToken: async (token) => verifyToken(token, (await configOf(env)).jwtSecret),
      maxSockets: { held: maxSocketsOf(env), open: MOST_SOCKETS },
      abort: (error) => {
        console.error({ event: 'room_aborted', room: object, error: String(error) });
        ctx.abort(String(error));
      },
      leave: () => this.#leave(),
      version: versionOf(env),
      warn: (event) => console.warn(event),
    });
  }

  /** @param version the newest version of the Worker that the caller knows, Unix ms. */
  append(batch: RoomBatch, version?: number): RoomAnswer | Promise<never> {
    this.#room.departure.learn(version, Date.now());
    return this.#leaving ?? this.#room.append(batch);
  }

  history(start: Place | undefined, limit: number, version?: number): string | Promise<never> {
    this.#room.departure.learn(version, Date.now());
    return this.#leaving ?? this.#room.history(start, limit);
  }

  /** A call of another object, or a WebSocket upgrade from the Worker's connect route. */
  override async fetch(request: Request): Promise<Response> {
    this.#room.departure.learn(versionIn(request.headers), Date.now());
    if (this.#leaving !== undefined) return this.#leaving;
    return (await answerObject(request, this.#room)) ?? this.#connect(request);
  }

  #connect(request: Request): Response {
    if (!this.#room.hasSpace) return new Response(null, { status: HTTP_ERRORS.room_full.status });
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    this.#room.connect(
      server,
      JSON.parse(decodeURIComponent(request.headers.get(JOINER_HEADER) ?? '%7B%7D')),
    );
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> | void {
    return this.#room.receive(socket, data);
  }

  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    this.#room.disconnect(socket);
    // This completes the handshake; without it the client waits ten seconds and sees 1006. An
    // application may send no code but 1000 and those from 3000 to 4999, and a peer sends any.
    if (code === 1000 || (code >= 3000 && code <= 4999)) socket.close(code, reason);
    else socket.close();
  }

  override webSocketError(socket: WebSocket): void {
    this.#room.disconnect(socket);
  }

  override alarm(): void {
    this.#room.alarm();
  }

  /** What was called while the object leaves waits until that has ended it: the caller then calls anew. */
  #leave(): void {
    const { ctx } = this;
    this.#leaving = new Promise(() => {});
    const end = async () => {
      await ctx.storage.sync();
      await new Promise((resolve) => setTimeout(resolve, SENDING_TIME));
      console.log({ event: 'room_left', room: ctx.id.name });
      ctx.abort('the object takes on a newer version of the Worker');
    };
    ctx.waitUntil(end());
  }
}
