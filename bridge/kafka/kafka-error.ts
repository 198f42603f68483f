/** Reads the errors of kafkajs, which wraps the broker's answer in one retry error after another. */
import { causesOf } from '../shared/error-causes.ts';
import { unescapeBroker } from '../shared/kafka-sockets.ts';
import { messageOf, networkFault } from '../shared/network-fault.ts';

/** The broker's error types (`MESSAGE_TOO_LARGE`, …) in an error and in everything that it wraps. */
export function errorTypes(error: unknown): string[] {
  const types: string[] = [];
  for (const cause of causesOf(error)) {
    if ('type' in cause && typeof cause.type === 'string') types.push(cause.type);
  }
  return types;
}

/** Why Kafka does not serve us: a stable word, and what was said. */
export interface KafkaTrouble {
  readonly reason: string;
  readonly message: string | undefined;
}

/** @param brokers as they are configured. Another address is one that a broker has named. */
export function troubleOf(error: unknown, brokers: readonly string[]): KafkaTrouble {
  const address = addressOf(error);
  const said = messageOf(error);
  const message = address === undefined || said?.includes(address) ? said : `${said} (${address})`;
  const isNamed = address !== undefined && !brokers.includes(address);
  return { reason: reasonOf(error, isNamed), message };
}

/** @param isNamed whether the address in `error` is one that a broker has named. */
export function reasonOf(error: unknown, isNamed = false): string {
  const [type] = errorTypes(error);
  if (type !== undefined) return type;
  const fault = networkFault(error) ?? kafkajsFault(error);
  if (fault === 'SASL_AUTHENTICATION_FAILED' || fault === 'no_answer') return fault;
  // A broker of the list answered, and named an address that is of no use here.
  const isListener = isNamed && fault !== undefined && fault !== 'closed';
  if (isListener) return 'kafka_listener_unreachable';
  return fault === undefined ? nameOf(error) : `kafka_${fault}`;
}

/** The errors that kafkajs makes itself, which have no code. */
function kafkajsFault(
  error: unknown,
): 'SASL_AUTHENTICATION_FAILED' | 'no_answer' | 'closed' | 'unreachable' | undefined {
  for (const { name } of causesOf(error)) {
    switch (name) {
      case 'KafkaJSSASLAuthenticationError':
        return 'SASL_AUTHENTICATION_FAILED';
      case 'KafkaJSRequestTimeoutError':
        return 'no_answer';
      case 'KafkaJSConnectionClosedError':
        return 'closed';
      // The one that has no code is that of a time-out.
      case 'KafkaJSConnectionError':
        return 'unreachable';
    }
  }
  return undefined;
}

function addressOf(error: unknown): string | undefined {
  for (const cause of causesOf(error)) {
    if ('broker' in cause && typeof cause.broker === 'string') return unescapeBroker(cause.broker);
  }
  return undefined;
}

/** A stable word for logs, where nothing better is known. */
function nameOf(error: unknown): string {
  return error instanceof Error && error.name !== 'Error' ? error.name : 'kafka_unavailable';
}
