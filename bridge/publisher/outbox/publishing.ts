/**
 * What both producers do alike: they connect and disconnect, and hand events to their outbox while
 * they are connected.
 */
import { PublishError } from '../errors.ts';
import type { EventRecord, PublishResult } from '../producer.ts';
import type { Outbox } from './outbox.ts';

/** How a producer reaches the other side. */
export interface Connection {
  /** @throws {PublishError} */
  open(): Promise<void>;
  close(): Promise<void>;
}

export class Publishing {
  readonly #outbox: Outbox;
  readonly #connection: Connection;
  #isConnected = false;
  /** How often `disconnect` was called: a `connect` that it overtook must leave nothing open. */
  #disconnects = 0;
  #disconnecting: Promise<void> | undefined;

  constructor(outbox: Outbox, connection: Connection) {
    this.#outbox = outbox;
    this.#connection = connection;
  }

  async connect(): Promise<void> {
    const disconnects = this.#disconnects;
    await this.#disconnecting;
    this.#requireSame(disconnects);
    await this.#connection.open();
    this.#requireSame(disconnects);
    this.#isConnected = true;
  }

  async publishEvent(record: EventRecord): Promise<void> {
    this.#requireConnection();
    await this.#outbox.publish(record);
  }

  async publishEvents(records: readonly EventRecord[]): Promise<PublishResult> {
    this.#requireConnection();
    return this.#outbox.publishAll(records);
  }

  /** Sends what waits, then closes. */
  disconnect(): Promise<void> {
    this.#isConnected = false;
    this.#disconnects++;
    this.#disconnecting ??= this.#close();
    return this.#disconnecting;
  }

  async #close(): Promise<void> {
    await this.#outbox.idle();
    await this.#connection.close();
    this.#disconnecting = undefined;
  }

  /** @param disconnects as it was when `connect` was called. */
  #requireSame(disconnects: number): void {
    if (this.#disconnects === disconnects) return;
    throw new PublishError('not_connected', 'disconnect() was called meanwhile');
  }

  #requireConnection(): void {
    if (!this.#isConnected) throw new PublishError('not_connected', 'call connect() first');
  }
}
