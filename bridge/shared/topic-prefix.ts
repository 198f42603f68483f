/**
 * What an estate writes before the names of its topics: with `TOPIC_PREFIX=prod.` the gateway's
 * `price.updates` is Kafka's `prod.price.updates`. The Worker knows only the plain names.
 */
import { ConfigError, type Environment } from '../../worker/protocol/environment/variables.ts';

/** The characters that Kafka allows. A topic has 249 of them at most, and `.dlq` follows the name. */
const PREFIX_PATTERN = /^[A-Za-z0-9._-]{0,200}$/;

/** @throws {ConfigError} */
export function readTopicPrefix(env: Environment): string {
  const prefix = env.TOPIC_PREFIX ?? '';
  if (!PREFIX_PATTERN.test(prefix)) {
    throw new ConfigError('TOPIC_PREFIX', 'has up to 200 letters, digits, ".", "_" and "-"');
  }
  return prefix;
}

/** The plain name of Kafka's `topic`. */
export function withoutPrefix(topic: string, prefix: string): string {
  return topic.startsWith(prefix) ? topic.slice(prefix.length) : topic;
}
