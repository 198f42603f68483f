/** Publishes over signed HTTP, for a service that cannot reach Kafka. */
import { setTimeout as delay } from 'node:timers/promises';
import { MAX_BATCH_BYTES, MAX_BATCH_RECORDS } from '../../../worker/protocol/batch/batch.ts';
import { importSecret, type SigningKey } from '../../../worker/protocol/batch/signature.ts';
import type { Environment } from '../../../worker/protocol/environment/variables.ts';
import { readEventsUrl, readSecrets } from '../../shared/gateway-config.ts';
import type { DEXEvent, NotificationEvent } from '../events.ts';
import { Outbox } from '../outbox/outbox.ts';
import { Publishing } from '../outbox/publishing.ts';
import type { EventProducer, EventRecord, PublishResult } from '../producer.ts';
import { type GatewayPost, GatewaySender } from './gateway-sender.ts';

export interface HttpProducerOptions {
  /** Where the gateway is; `WEBSOCKET_GATEWAY_URL` unless given, else `http://localhost:3007`. */
  readonly url?: string | undefined;
  /** A publisher's `whsec_` secret, or several for a rotation; `PUBLISHER_SECRET` unless given. */
  readonly secret?: string | undefined;
  readonly fetch?: GatewayPost | undefined;
  /** Unix ms. */
  readonly now?: (() => number) | undefined;
  readonly random?: (() => number) | undefined;
  /** Resolves after so many ms. */
  readonly wait?: ((ms: number) => Promise<unknown>) | undefined;
}

/** The size of a body without its records, in bytes. */
const ENVELOPE_BYTES = 64;

/**
 * Publishes events by `POST /v1/events`, signed by the Standard Webhooks specification. One POST is
 * under way at a time. A batch that is sent again keeps its id, so the gateway takes it once even if
 * only its answer was lost; after some tries without an answer it fails with `gateway_unavailable`,
 * after some that a room refused with 429 with `batch_too_frequent`.
 *
 * @example
 * import { HttpEventProducer } from '@moonx-farm/websocket-gateway';
 *
 * const producer = new HttpEventProducer({ url: 'https://gateway.example', secret: 'whsec_…' });
 * await producer.connect();
 * const { accepted, rejected } = await producer.publishEvents([{ topic: 'price.updates', event }]);
 * await producer.disconnect();
 */
export class HttpEventProducer implements EventProducer {
  readonly #environment: Environment;
  readonly #url: URL;
  readonly #publishing: Publishing;
  readonly #sender: GatewaySender;
  #keys: Promise<readonly SigningKey[]> | undefined;

  /** @throws {ConfigError} naming the variable that cannot be used. */
  constructor(options: HttpProducerOptions = {}, env: Environment = process.env) {
    this.#environment = {
      WEBSOCKET_GATEWAY_URL: options.url ?? env.WEBSOCKET_GATEWAY_URL,
      PUBLISHER_SECRET: options.secret ?? env.PUBLISHER_SECRET,
    };
    this.#url = readEventsUrl(this.#environment);
    const now = options.now ?? Date.now;
    this.#sender = new GatewaySender({
      url: this.#url,
      post: options.fetch ?? fetch,
      now,
      random: options.random ?? Math.random,
      wait: options.wait ?? delay,
    });
    const outbox = new Outbox(
      {
        send: async (events) => this.#sender.send(events, await this.#readKeys()),
        maxItems: MAX_BATCH_RECORDS,
        maxBytes: MAX_BATCH_BYTES - ENVELOPE_BYTES,
      },
      now,
    );
    this.#publishing = new Publishing(outbox, {
      open: async () => {
        await this.#readKeys();
      },
      close: async () => {},
    });
  }

  /** Reads the secret. The gateway is first asked when something is published. @throws {ConfigError} */
  connect(): Promise<void> {
    return this.#publishing.connect();
  }

  publishEvent(
    topic: string,
    event: DEXEvent | NotificationEvent,
    partition?: number | null,
  ): Promise<void> {
    return this.#publishing.publishEvent({ topic, event, partition });
  }

  publishEvents(records: readonly EventRecord[]): Promise<PublishResult> {
    return this.#publishing.publishEvents(records);
  }

  disconnect(): Promise<void> {
    return this.#publishing.disconnect();
  }

  #readKeys(): Promise<readonly SigningKey[]> {
    this.#keys ??= readSecrets(this.#environment, 'PUBLISHER_SECRET', importSecret);
    return this.#keys;
  }
}
