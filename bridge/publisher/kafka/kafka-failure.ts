/** What an error of kafkajs means for an event. */
import { errorTypes } from '../../kafka/kafka-error.ts';
import { PublishError, type PublishErrorCode } from '../errors.ts';

/** The broker condemns a record, and with it all that share its partition and request. */
const FAULTS: Readonly<Record<string, PublishErrorCode>> = {
  MESSAGE_TOO_LARGE: 'event_too_large',
  RECORD_LIST_TOO_LARGE: 'event_too_large',
  INVALID_TIMESTAMP: 'timestamp_invalid',
  INVALID_RECORD: 'record_refused',
};
/** How many errors wrap each other at most: the retrier's, the connection's and the broker's do. */
const MAX_CAUSES = 8;

/** The fault of the event itself, if it is one. Then nothing of its partition was written. */
export function faultOf(error: unknown): PublishError | undefined {
  for (const type of errorTypes(error)) {
    const code = FAULTS[type];
    if (code !== undefined)
      return new PublishError(code, `Kafka answers ${type}`, { cause: error });
  }
  return undefined;
}

/** Every other failure: Kafka cannot be reached, or does not let us in. */
export function failureOf(error: unknown): PublishError {
  const types = errorTypes(error);
  const forbidden = types.find((type) => /AUTH|SASL/.test(type)) ?? saslFailure(error);
  if (forbidden !== undefined) {
    return new PublishError('kafka_forbidden', `Kafka answers ${forbidden}`, { cause: error });
  }
  const reason = types[0] ?? (error instanceof Error ? error.message : 'no answer');
  return new PublishError('kafka_unavailable', `Kafka did not confirm: ${reason}`, {
    cause: error,
  });
}

function saslFailure(error: unknown): string | undefined {
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth++) {
    if (current.name === 'KafkaJSSASLAuthenticationError') return 'SASL_AUTHENTICATION_FAILED';
    current = current.cause;
  }
  return undefined;
}
