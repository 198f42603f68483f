/** What the client needs of the place where it runs. Each part can be replaced, as tests do. */

/** What the client reads of a WebSocket's events. */
export interface SocketEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly code?: number;
  readonly reason?: string;
}

/** The part of a WebSocket that the client uses. */
export interface Socket {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  /** Ends it without waiting for the other side, as that of the `ws` package does. */
  terminate?(): void;
  addEventListener(
    type: 'open' | 'message' | 'close' | 'error',
    listener: (event: SocketEvent) => void,
  ): void;
}

/** The part of an HTTP answer that the client uses. */
export interface Answer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  json(): Promise<unknown>;
}

/** The part of a browser's window that the client listens to; all of it is missing elsewhere. */
export interface Surroundings extends Notifier {
  readonly navigator?: { readonly onLine?: boolean };
  readonly document?: Notifier & { readonly visibilityState: string };
}

export interface Notifier {
  addEventListener?(type: string, listener: () => void, options: { signal: AbortSignal }): void;
}

export interface PlatformOptions {
  readonly WebSocket?: new (url: string, protocols: string[]) => Socket;
  readonly fetch?: (
    url: string,
    init: { readonly headers: Record<string, string>; readonly signal: AbortSignal },
  ) => Promise<Answer>;
  /** Unix ms. */
  readonly now?: () => number;
  setTimeout?(callback: () => void, ms: number): unknown;
  clearTimeout?(timer: unknown): void;
  /** In [0, 1). */
  readonly random?: () => number;
  readonly window?: Surroundings;
}

export interface Platform extends Required<Omit<PlatformOptions, 'setTimeout' | 'clearTimeout'>> {
  /** Calls back once after `ms`, unless the function given back is called before. */
  readonly after: (ms: number, callback: () => void) => () => void;
}

export function platformOf(options: PlatformOptions): Platform {
  const platform: Required<PlatformOptions> = {
    // A server that only renders pages makes clients too, so this fails no sooner than it is needed.
    WebSocket: globalThis.WebSocket ?? (noWebSocket as never),
    fetch: (url, init) => globalThis.fetch(url, init),
    now: Date.now,
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    random: Math.random,
    window: globalThis,
    ...options,
  };
  // A browser's timers refuse to be called as anyone's methods.
  const { setTimeout, clearTimeout } = platform;
  return {
    ...platform,
    after: (ms, callback) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
  };
}

/** Stands for the WebSocket where there is none, as on Node 20. */
function noWebSocket(): never {
  throw new TypeError('there is no WebSocket: give one');
}
