/** A bare WebSocket client of the Worker under test, which keeps every frame it was sent. */
import { exports } from 'cloudflare:workers';
import { sign } from 'hono/jwt';
import { DEVELOPMENT_JWT_SECRET } from '../../../worker/protocol/environment/development.ts';

export interface Frame {
  readonly type: string;
  readonly [member: string]: unknown;
}

export interface NumberedEvent {
  readonly seq: number;
  readonly event: Record<string, unknown>;
}

export class Client {
  /** As received. */
  readonly texts: string[] = [];
  readonly closed: Promise<CloseEvent>;
  readonly socket: WebSocket;
  readonly #waiting = new Set<() => void>();

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.addEventListener('message', ({ data }) => {
      this.texts.push(String(data));
      for (const wake of this.#waiting) wake();
    });
    this.closed = new Promise((resolve) => {
      socket.addEventListener('close', resolve);
    });
    socket.accept();
  }

  get frames(): Frame[] {
    return this.texts.filter((text) => text !== 'pong').flatMap((text) => JSON.parse(text));
  }

  /** The frames of one type; resolves once there are `count`. */
  async received(type: string, count = 1): Promise<Frame[]> {
    for (;;) {
      const frames = this.frames.filter((frame) => frame.type === type);
      if (frames.length >= count) return frames;
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  /** The events of `events` frames; resolves once there are `count`. */
  async events(count: number): Promise<NumberedEvent[]> {
    for (let frames = 1; ; frames++) {
      const events = (await this.received('events', frames)).flatMap(eventsOf);
      if (events.length >= count) return events;
    }
  }
}

export function eventsOf(frame: Frame | undefined): NumberedEvent[] {
  return Array.isArray(frame?.events) ? frame.events : [];
}

/**
 * What the address says of `system`; null for nothing. Unless a test is about it, its frames stay out
 * of what the test looks at.
 */
export type SystemParameter = string | null;

/** The answer to an upgrade request, whatever it is. */
export function upgrade(
  path: string,
  headers: Record<string, string> = {},
  system: SystemParameter = 'off',
): Promise<Response> {
  const joint = path.includes('?') ? '&' : '?';
  const address = system === null ? path : `${path}${joint}system=${system}`;
  return exports.default.fetch(`https://gateway.test/v1/rooms/${address}`, {
    headers: { Upgrade: 'websocket', ...headers },
  });
}

/** Joins a room and waits until it is subscribed. */
export async function connect(
  path: string,
  token?: string,
  system?: SystemParameter,
): Promise<Client> {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const response = await upgrade(path, headers, system);
  if (response.webSocket === null) {
    throw new Error(`${response.status}: ${await response.text()}`);
  }
  const client = new Client(response.webSocket);
  await client.received('subscribed');
  return client;
}

/** Connects to a relay, or to the home that one has named, and waits until it is welcomed. */
export async function connectRelay(path = '/v1/ws?system=off', token?: string): Promise<Client> {
  const headers = {
    Upgrade: 'websocket',
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
  const response = await exports.default.fetch(`https://gateway.test${path}`, { headers });
  if (response.webSocket === null) {
    throw new Error(`${response.status}: ${await response.text()}`);
  }
  const client = new Client(response.webSocket);
  await client.received('welcome');
  return client;
}

export function tokenFor(
  user: string,
  claims: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  return sign({ sub: user, exp, ...claims }, DEVELOPMENT_JWT_SECRET, 'HS256');
}
