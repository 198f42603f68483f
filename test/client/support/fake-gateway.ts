/** The other side of a client's sockets, played by hand: accepts, sends, stays silent, breaks off. */

import type { Answer, Socket, SocketEvent } from '../../../worker/client/connection/platform.ts';
import { GatewayClient, type GatewayClientOptions } from '../../../worker/client/index.ts';
import { settle, VirtualClock } from '../../support/virtual-clock.ts';

const URL_OF_GATEWAY = 'wss://gateway.test';
export const WINDOW = 1_000;
export const WELCOME = {
  type: 'welcome',
  protocol: 1,
  limits: { messageLength: 8192, window: WINDOW },
};

type Listener = (event: SocketEvent) => void;

export class FakeSocket implements Socket {
  readonly url: URL;
  readonly protocols: readonly string[];
  /** What the client sent. */
  readonly sent: string[] = [];
  isClosed = false;
  isTerminated = false;
  /** Called with each message of the client. */
  onSent: (text: string) => void = () => {};
  readonly #listeners: [string, Listener][] = [];

  constructor(url: string, protocols: readonly string[]) {
    this.url = new URL(url);
    this.protocols = protocols;
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.push([type, listener]);
  }

  send(text: string): void {
    if (this.isClosed) return;
    this.sent.push(text);
    this.onSent(text);
  }

  close(): void {
    this.isClosed = true;
  }

  terminate(): void {
    this.isTerminated = true;
  }

  /** The types of events that somebody listens to. */
  get heeded(): string[] {
    return this.#listeners.map(([type]) => type);
  }

  get messages(): Record<string, unknown>[] {
    return this.sent.filter((text) => text !== 'ping').map((text) => JSON.parse(text));
  }

  get pings(): number {
    return this.sent.filter((text) => text === 'ping').length;
  }

  open(): void {
    this.#emit('open', {});
  }

  say(...frames: (object | string)[]): void {
    for (const frame of frames) {
      this.#emit('message', { data: typeof frame === 'string' ? frame : JSON.stringify(frame) });
    }
  }

  breakOff(code = 1006, reason = ''): void {
    this.#emit('close', { code, reason });
    this.isClosed = true;
  }

  /** Opens and joins, at `seq`, with an empty snapshot. */
  join(room: string, seq: number, epoch = 1): void {
    this.open();
    this.say(WELCOME, subscribed(room, seq, false, epoch), snapshot(room, seq, [], epoch));
  }

  #emit(type: string, event: Omit<SocketEvent, 'type'>): void {
    for (const [of, listener] of this.#listeners) if (of === type) listener({ type, ...event });
  }
}

/** A window that says what it is told to. */
class FakeWindow {
  readonly navigator = { onLine: true };
  readonly document = {
    visibilityState: 'visible',
    addEventListener: (type: string, listener: () => void) => this.addEventListener(type, listener),
  };
  readonly #listeners: [string, () => void][] = [];

  addEventListener(type: string, listener: () => void): void {
    this.#listeners.push([type, listener]);
  }

  emit(type: string): void {
    for (const [of, listener] of this.#listeners) if (of === type) listener();
  }

  setOnline(online: boolean): void {
    this.navigator.onLine = online;
    this.emit(online ? 'online' : 'offline');
  }

  show(visible: boolean): void {
    this.document.visibilityState = visible ? 'visible' : 'hidden';
    this.emit('visibilitychange');
  }
}

export class FakeGateway {
  readonly clock = new VirtualClock();
  readonly window = new FakeWindow();
  readonly sockets: FakeSocket[] = [];
  readonly asked: { readonly url: string; readonly headers: Record<string, string> }[] = [];
  /** What a plain request is answered; an outage unless set. */
  answer:
    | {
        readonly status: number;
        readonly code: string;
        readonly retryAfter?: string;
        /** What is answered instead of the gateway's own error. */
        readonly body?: string;
      }
    | undefined;
  random = 0.5;
  onSocket: (socket: FakeSocket) => void = () => {};

  client(options: Partial<GatewayClientOptions> = {}): GatewayClient {
    const { clock, window } = this;
    const onSocket = (socket: FakeSocket) => {
      this.sockets.push(socket);
      this.onSocket(socket);
    };
    return new GatewayClient({
      url: URL_OF_GATEWAY,
      transport: 'room',
      WebSocket: class extends FakeSocket {
        constructor(url: string, protocols: string[]) {
          super(url, protocols);
          onSocket(this);
        }
      },
      fetch: (url, { headers }) => this.#answer(url, headers),
      now: clock.now,
      setTimeout: clock.setTimeout,
      clearTimeout: clock.clearTimeout,
      random: () => this.random,
      window,
      ...options,
    });
  }

  /** The newest socket, once what led to it has gone on. */
  async socket(): Promise<FakeSocket> {
    await settle();
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('nobody connects');
    return socket;
  }

  async #answer(url: string, headers: Record<string, string>): Promise<Answer> {
    this.asked.push({ url, headers });
    const { answer } = this;
    if (answer === undefined) throw new TypeError('fetch failed');
    const { status, code, retryAfter = null, body } = answer;
    const isFinal = status < 500 && status !== 425 && status !== 426 && status !== 429;
    const error = { code, message: 'says the gateway', retry: !isFinal };
    return {
      status,
      headers: { get: () => retryAfter },
      json: async () => JSON.parse(body ?? JSON.stringify({ error })),
    };
  }
}

export function subscribed(room: string, seq: number, recovered: boolean, epoch = 1, id?: string) {
  return { type: 'subscribed', room, epoch, seq, recovered, ...(id && { id }) };
}

export function snapshot(room: string, seq: number, seqs: readonly number[], epoch = 1) {
  return { type: 'snapshot', room, epoch, seq, events: seqs.map((seq) => numbered(seq)) };
}

export function events(room: string, after: number, seqs: readonly number[]) {
  return { type: 'events', room, after, events: seqs.map((seq) => numbered(seq)) };
}

export function gap(room: string, from: number, to: number, reason = 'trimmed', epoch = 1) {
  return { type: 'gap', room, epoch, from, to, reason };
}

export function numbered(seq: number, type = 'price_update') {
  return { seq, event: { type, symbol: 'A', data: { price: seq }, timestamp: seq } };
}
