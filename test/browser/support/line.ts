/**
 * The line between a browser and the gateway, which can be cut. `BrowserContext.setOffline` leaves open
 * WebSockets alone (https://github.com/microsoft/playwright/issues/4910), as the developer tools do; so
 * what is cut is the line itself, and the browser is told so beside it.
 */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { BrowserContext } from 'playwright-core';

export class Line {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(port: number) {
    this.#server = createServer((near) => {
      if (this.#isCut) {
        near.destroy();
        return;
      }
      const far = connect(port, '127.0.0.1');
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
  }

  static async to(url: string): Promise<Line> {
    const line = new Line(Number(new URL(url).port));
    await new Promise<void>((resolve) => line.#server.listen(0, '127.0.0.1', resolve));
    return line;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends all connections at once, without a word, and lets none begin. */
  async cut(context: BrowserContext): Promise<void> {
    this.#isCut = true;
    this.drop();
    await context.setOffline(true);
  }

  async mend(context: BrowserContext): Promise<void> {
    this.#isCut = false;
    await context.setOffline(false);
  }

  /** Ends all connections, as a network on the way does that forgets them. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.drop();
    this.#server.close();
  }
}
