/**
 * The page's own network, which can be cut. A page cannot unplug its machine: so the sockets are closed,
 * new ones are closed as they begin, and the client is told what a browser tells when the network goes.
 */
import type { Surroundings } from '../../client/index.ts';

type Listen = NonNullable<Surroundings['addEventListener']>;

export class Network implements Surroundings {
  readonly #sockets = new Set<WebSocket>();
  readonly #told = new EventTarget();
  readonly #closed: () => void;
  #isCut = false;

  /** @param closed is told when a socket has ended. */
  constructor(closed: () => void) {
    this.#closed = closed;
  }

  readonly document = document;

  get navigator(): { readonly onLine: boolean } {
    return { onLine: !this.#isCut && navigator.onLine };
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  readonly addEventListener: Listen = (type, listener, options) => {
    this.#told.addEventListener(type, listener, options);
    const heed = () => (this.#isCut ? undefined : listener());
    window.addEventListener(type, heed, options);
  };

  readonly fetch: typeof globalThis.fetch = (url, init) =>
    this.#isCut ? Promise.reject(new TypeError('the network is cut')) : fetch(url, init);

  readonly WebSocket = socketClass((socket) => {
    this.#sockets.add(socket);
    socket.addEventListener('close', () => {
      this.#sockets.delete(socket);
      this.#closed();
    });
    if (this.#isCut) socket.close();
  });

  cut(): void {
    this.#isCut = true;
    this.#told.dispatchEvent(new Event('offline'));
    this.drop();
  }

  mend(): void {
    this.#isCut = false;
    this.#told.dispatchEvent(new Event('online'));
  }

  /** Ends what is open; the client comes back as soon as it may. */
  drop(): void {
    for (const socket of this.#sockets) socket.close();
  }
}

function socketClass(opened: (socket: WebSocket) => void) {
  return class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      opened(this);
    }

    /** The client learns only with the next turn that a socket was closed; until then it may send. */
    override send(text: string): void {
      if (this.readyState === WebSocket.OPEN) super.send(text);
    }
  };
}
