/**
 * How a socket offers its token: as a subprotocol, or not at all, since something on the way may spoil an
 * upgrade that has subprotocols. When an upgrade is lost, the other way of asking may get through.
 */
import type { OnError } from '../errors.ts';
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

  opened(token: string, onError: OnError): void {
    this.#isLost = false;
    if (this.isBare && token) onError('token_lost', undefined, 'the token was lost');
  }

  /** The gateway would have admitted the client. When neither way gets through, its owner has to know. */
  lost(onError: OnError): void {
    if (this.isBare && this.#isLost) onError('upgrade_lost', undefined, 'the upgrade was lost');
    this.isBare = !this.isBare;
    this.#isLost = true;
  }
}
