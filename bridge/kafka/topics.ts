/**
 * The topics that the bridge reads, and their dead-letter topics. What is missing at the start is
 * created where Kafka allows it, dead-letter topics at any time. A topic that was there and is gone
 * was deleted by someone: to create it again would race with whoever recreates it, so it is awaited.
 */
import type { Admin, ITopicConfig } from 'kafkajs';
import type { Logger } from '../shared/log.ts';

/**
 * The broker's clock, not the producer's: a room tells by the time that a topic was recreated, and
 * a producer's clock may run backwards.
 */
const TOPIC_CONFIG = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }];
/** Dead letters are their originals plus headers, so their topic takes more than any other. */
const DEAD_LETTER_CONFIG = [{ name: 'max.message.bytes', value: String(16 * 1024 * 1024) }];

const DEAD_LETTER_SUFFIX = '.dlq';

export function deadLetterTopic(topic: string): string {
  return `${topic}${DEAD_LETTER_SUFFIX}`;
}

export function isDeadLetterTopic(topic: string): boolean {
  return topic.endsWith(DEAD_LETTER_SUFFIX);
}

type TopicAdmin = Pick<Admin, 'createTopics' | 'listTopics'>;

export interface TopicsPresent {
  /** Those of our topics that exist, to be read. */
  readonly readable: readonly string[];
  /** Those that should exist and do not, dead-letter topics included. */
  readonly missing: readonly string[];
}

export class Topics {
  readonly #required: readonly string[];
  readonly #optional: readonly string[];
  readonly #log: Logger;
  readonly #seen = new Set<string>();
  #refused = false;

  /** @param optional topics may be absent without anyone being told. */
  constructor(required: readonly string[], optional: readonly string[], log: Logger) {
    this.#required = required;
    this.#optional = optional;
    this.#log = log;
  }

  /** Looks which topics exist, after creating those that never did. */
  async survey(admin: TopicAdmin): Promise<TopicsPresent> {
    const topics = [...this.#required, ...this.#optional];
    let existing = new Set(await admin.listTopics());
    const names = topics.flatMap((topic) => [topic, deadLetterTopic(topic)]);
    const absent = names.filter((name) => !existing.has(name) && !this.#seen.has(name));
    if (absent.length > 0) {
      await this.#create(admin, absent);
      existing = new Set(await admin.listTopics());
    }
    for (const topic of topics) if (existing.has(topic)) this.#seen.add(topic);
    return {
      readable: topics.filter((topic) => existing.has(topic)),
      missing: this.#required
        .flatMap((topic) => [topic, deadLetterTopic(topic)])
        .filter((name) => !existing.has(name)),
    };
  }

  async #create(admin: TopicAdmin, names: readonly string[]): Promise<void> {
    try {
      await admin.createTopics({ topics: names.map(describe) });
      this.#log.info({ topics: names }, 'topics created');
    } catch (error) {
      // Kafka judges each by itself: some may exist now. It is tried again at every survey, in case
      // someone grants us the right, but told once.
      if (!this.#refused) this.#log.warn({ topics: names, err: error }, 'topics not created');
      this.#refused = true;
    }
  }
}

function describe(topic: string): ITopicConfig {
  const configEntries = isDeadLetterTopic(topic) ? DEAD_LETTER_CONFIG : TOPIC_CONFIG;
  return { topic, configEntries };
}
