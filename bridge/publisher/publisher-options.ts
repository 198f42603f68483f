/** What a service publishes with: Kafka, HTTP, or a producer that it shares with others. */
import { HttpEventProducer, type HttpProducerOptions } from './http/http-event-producer.ts';
import type { KafkaProducerOptions } from './kafka/kafka-client.ts';
import { KafkaEventProducer } from './kafka/kafka-event-producer.ts';
import type { EventProducer } from './producer.ts';

interface CommonOptions {
  /** Unix ms. */
  readonly now?: (() => number) | undefined;
}

/** What a service publishes with. Without options it is Kafka, by the environment. */
export type PublisherOptions = CommonOptions &
  (
    | { readonly kafka?: KafkaProducerOptions; readonly http?: never; readonly producer?: never }
    | { readonly http: HttpProducerOptions; readonly kafka?: never; readonly producer?: never }
    /** One connection for several services. They connect it, and you disconnect it. */
    | { readonly producer: EventProducer; readonly kafka?: never; readonly http?: never }
  );

/** A producer, and whether the service that has made it is to disconnect it. */
export interface ChosenProducer {
  readonly producer: EventProducer;
  readonly isOwn: boolean;
}

/** @throws {ConfigError} naming the variable that cannot be used. */
export function chooseProducer(options: PublisherOptions): ChosenProducer {
  const { now, producer, http, kafka } = options;
  if (producer !== undefined) return { producer, isOwn: false };
  if (http !== undefined) return { producer: new HttpEventProducer({ now, ...http }), isOwn: true };
  return { producer: new KafkaEventProducer({ now, ...kafka }), isOwn: true };
}
