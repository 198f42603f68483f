/**
 * The clients of a contender: many plain WebSockets in a process of their own. Each event of each socket
 * is accounted for: it comes once, in the order of its symbol, and none is missing.
 */
import { fileURLToPath } from 'node:url';
import { AskedProcess } from '../../support/asked-process.ts';
import type { ClientHandlers } from './clients-process.ts';
import type { ContenderName } from './dialects.ts';

const PROCESS = fileURLToPath(new URL('clients-process.ts', import.meta.url));

export interface ClientsJoin {
  readonly name: ContenderName;
  /** `ws://…`, without a path. */
  readonly url: string;
  /** For each socket, the symbols whose rooms it joins. */
  readonly subscriptions: readonly (readonly number[])[];
}

export interface ClientsReport {
  /** Events over all sockets. */
  readonly delivered: number;
  readonly frames: number;
  /** Events that were passed over for newer ones. */
  readonly leftOut: number;
  readonly repeated: number;
  /** Events that had not come at the deadline. */
  readonly missing: number;
  /** How sockets have ended, and how many so. */
  readonly ended: Readonly<Record<string, number>>;
  /** From `begin` to the last event, in ms. */
  readonly took: number;
  /** What the clients' own process took of a core. */
  readonly cpuShare: number;
  /** From production to the client, in ms, over all events of all sockets. */
  readonly latency: { readonly p50: number; readonly p99: number };
}

export class Clients {
  readonly #process = new AskedProcess<ClientHandlers>(PROCESS);

  /** Resolves once every socket has joined all its rooms. Those of before have left. */
  join(join: ClientsJoin): Promise<void> {
    return this.#process.ask('join', join);
  }

  /**
   * Counts from here on.
   * @param next by symbol, the number of the next event.
   * @param isVerified whether each frame is parsed and compared with what was produced.
   */
  begin(next: readonly number[], isVerified = false): Promise<void> {
    return this.#process.ask('begin', next, isVerified);
  }

  /** Resolves once every socket has everything up to `last`, which is by symbol, or at the deadline. */
  reach(last: readonly number[], deadlineMs: number): Promise<ClientsReport> {
    return this.#process.ask('reach', last, deadlineMs);
  }

  leave(): Promise<void> {
    return this.#process.ask('leave');
  }

  stop(): void {
    this.#process.stop();
  }
}
