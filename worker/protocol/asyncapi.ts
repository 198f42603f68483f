/**
 * The protocol as an AsyncAPI 3 document, made from the very schemas that check what is sent. A test
 * keeps it beside this file as `asyncapi.json`, and fails when that is not what the schemas say.
 */
import { type ConversionConfig, type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import { EVENT_SCHEMAS, notificationSchema } from './events/events.ts';
import {
  errorSchema,
  eventsSchema,
  gapSchema,
  PROTOCOL_VERSION,
  shutdownSchema,
  snapshotSchema,
  subscribedSchema,
  unsubscribedSchema,
  welcomeSchema,
} from './frames.ts';
import {
  ackSchema,
  authSchema,
  subscribeListSchema,
  subscribeSchema,
  unsubscribeListSchema,
  unsubscribeSchema,
} from './messages.ts';

/** JSON Schema cannot express a check that is a function; PROTOCOL.md says it in words. */
const CONVERSION: ConversionConfig = {
  errorMode: 'ignore',
  overrideSchema: ({ valibotSchema: { type } }) => (type === 'custom' ? {} : undefined),
};

type Schemas = Readonly<Record<string, v.GenericSchema>>;

/** What a room sends to its clients. */
export const FRAMES: Schemas = {
  welcome: welcomeSchema,
  subscribed: subscribedSchema,
  snapshot: snapshotSchema,
  events: eventsSchema,
  gap: gapSchema,
  unsubscribed: unsubscribedSchema,
  error: errorSchema,
  shutdown: shutdownSchema,
};

/** What a client sends to its room, or to its relay. */
export const MESSAGES: Schemas = {
  subscribe: subscribeSchema,
  subscribeList: subscribeListSchema,
  unsubscribe: unsubscribeSchema,
  unsubscribeList: unsubscribeListSchema,
  ack: ackSchema,
  auth: authSchema,
};

/** The events that frames carry, by type. */
const EVENTS: Schemas = { ...EVENT_SCHEMAS, notification: notificationSchema };

export function jsonSchemas(schemas: Schemas): Record<string, JsonSchema> {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const { $schema: _, ...converted } = toJsonSchema(schema, CONVERSION);
      return [name, converted];
    }),
  );
}

export function asyncApi(): object {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'WebSocket Gateway',
      version: String(PROTOCOL_VERSION),
      description: 'What a room and its clients say to each other. The rules: PROTOCOL.md.',
    },
    defaultContentType: 'application/json',
    channels: {
      room: {
        address: '/v1/rooms/{room}',
        description: 'The frames of a room, and beside them those of the room `system` (rule R13).',
        parameters: { room: { description: 'price:BTC-USDC, user:user-123, system, …' } },
        messages: { ...referenceAll(FRAMES, 'messages'), ...referenceAll(MESSAGES, 'messages') },
        bindings: {
          ws: {
            query: {
              type: 'object',
              properties: {
                since: { type: 'string', pattern: '^[0-9]{1,15}:[0-9]{1,15}$' },
                maxRate: { type: 'integer', enum: [1, 2, 5, 10] },
                system: { type: 'string', pattern: '^([0-9]{1,15}:[0-9]{1,15}|off)$' },
                trace: { type: 'string', enum: ['on', 'off'] },
              },
            },
          },
        },
      },
      relay: {
        address: '/v1/ws',
        description: 'The frames of many rooms over one socket, several to a message (rule R14).',
        messages: {
          frames: reference('messages', 'frames'),
          ...referenceAll(MESSAGES, 'messages'),
        },
        bindings: {
          ws: {
            query: {
              type: 'object',
              properties: {
                system: { type: 'string', pattern: '^([0-9]{1,15}:[0-9]{1,15}|off)$' },
                home: { type: 'string' },
                trace: { type: 'string', enum: ['on', 'off'] },
              },
            },
          },
        },
      },
    },
    operations: {
      receive: operation('send', 'room', Object.keys(FRAMES)),
      ask: operation('receive', 'room', Object.keys(MESSAGES)),
      receiveOfRelay: operation('send', 'relay', ['frames']),
      askRelay: operation('receive', 'relay', Object.keys(MESSAGES)),
    },
    components: {
      messages: {
        ...messagesOf(FRAMES),
        frames: {
          name: 'frames',
          payload: {
            type: 'array',
            items: {
              oneOf: Object.keys(FRAMES).map((name) => ({
                $ref: `#/components/messages/${name}/payload`,
              })),
            },
          },
        },
        ...messagesOf(MESSAGES),
      },
      schemas: jsonSchemas(EVENTS),
    },
  };
}

/** @param action as the gateway sees it, because the document is the gateway's. */
function operation(
  action: 'send' | 'receive',
  channel: 'room' | 'relay',
  messages: readonly string[],
): object {
  return {
    action,
    channel: { $ref: `#/channels/${channel}` },
    messages: messages.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` })),
  };
}

function reference(kind: string, name: string): object {
  return { $ref: `#/components/${kind}/${name}` };
}

function referenceAll(schemas: Schemas, kind: string): Record<string, object> {
  return Object.fromEntries(Object.keys(schemas).map((name) => [name, reference(kind, name)]));
}

function messagesOf(schemas: Schemas): Record<string, object> {
  return Object.fromEntries(
    Object.entries(jsonSchemas(schemas)).map(([name, payload]) => [name, { name, payload }]),
  );
}
