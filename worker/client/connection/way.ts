/**
 * How a socket offers its token: as a subprotocol, or not at all, since something on the way may spoil an
 * upgrade that has subprotocols. When an upgrade is lost, the other way of asking may get through.
 */
import { bearerPrefix, subprotocol } from './wire.ts';

export class Way {
  /** Whether the token is left out. */
  isBare = false;
  /** Whether no socket has opened since that changed. */
  #isLost = false;

  protocols(token: string): string[] {
    if (this.isBare) return [];
    return token ? [subprotocol, bearerPrefix + token] : [subprotocol];
  }

  opened(): void {
    this.#isLost = false;
  }

  /** The gateway would have admitted the client. Gives whether neither way gets through. */
  lost(): boolean {
    const isHopeless = this.isBare && this.#isLost;
    this.isBare = !this.isBare;
    this.#isLost = true;
    return isHopeless;
  }
}
