/**
 * A producer that keeps nothing but the text that Kafka would get, and hands each event to whoever
 * checks it, in order: as the gateway's own rules read it.
 */
import type { EventProducer } from '../../bridge/publisher/producer.ts';
import { admit } from '../../worker/protocol/events/admit.ts';
import { JsonTextReader } from '../../worker/protocol/json-text.ts';

export interface Published {
  readonly topic: string;
  readonly text: string;
}

export function recorder(record: (published: Published) => void): EventProducer {
  return {
    connect: async () => {},
    disconnect: async () => {},
    publishEvent: async (topic, event) => record({ topic, text: JSON.stringify(event) }),
    publishEvents: async (records) => {
      for (const { topic, event } of records) record({ topic, text: JSON.stringify(event) });
      return { accepted: records.length, rejected: [] };
    },
  };
}

/** An event as the gateway reads it, and where it would send it; throws why it would reject it. */
export function received({ topic, text }: Published): { event: unknown; rooms: string[] } {
  const { fields, depth } = new JsonTextReader(text).skip();
  const event: unknown = JSON.parse(text);
  const admission = admit(topic, event, { text, fields, depth });
  if (admission.kind === 'rejected') throw new Error(`${admission.message}: ${text}`);
  return { event, rooms: admission.destinations.map(({ room }) => room) };
}
