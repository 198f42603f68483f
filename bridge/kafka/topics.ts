/**
 * The topics that the bridge reads, and their dead-letter topics. Topics that are missing at the start
 * are created where Kafka allows it; dead-letter topics at any time. A topic that was there and is gone
 * was deleted by someone. To create it would race with whoever makes it anew, so it is awaited.
 */
import type { Admin, ITopicConfig } from 'kafkajs';
import type { Logger } from '../shared/log.ts';
import { errorTypes } from './kafka-error.ts';

/**
 * Records get the time of the broker's clock: a room knows by the time that a topic was made anew, and
 * a producer's clock may run backwards.
 */
const TOPIC_CONFIG = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }];
/** A dead letter is its original with more headers, so its topic takes larger records than others. */
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
  /** Our topics that exist, and can be read. */
  readonly readable: readonly string[];
  /** Our topics that should exist and do not, with the dead-letter topics. */
  readonly missing: readonly string[];
  /** Why Kafka does not let us create what is missing, if it said so. */
  readonly refusal: string | undefined;
}

export class Topics {
  readonly #required: readonly string[];
  readonly #optional: readonly string[];
  readonly #log: Logger;
  readonly #seen = new Set<string>();
  #refusal: string | undefined;

  /** @param optional topics may be absent without a report. */
  constructor(required: readonly string[], optional: readonly string[], log: Logger) {
    this.#required = required;
    this.#optional = optional;
    this.#log = log;
  }

  /** Looks which topics exist, after creating those that never existed. */
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
      refusal: this.#refusal,
    };
  }

  async #create(admin: TopicAdmin, names: readonly string[]): Promise<void> {
    try {
      await admin.createTopics({ topics: names.map(describeTopic) });
      this.#refusal = undefined;
      this.#log.info({ topics: names }, 'topics created');
    } catch (error) {
      // Kafka judges each topic by itself, so some may exist now. It is tried again at every survey, in
      // case someone grants us the right, but it is logged once.
      const refusal = errorTypes(error)[0] ?? 'kafka_unavailable';
      if (this.#refusal === undefined) {
        this.#log.warn({ topics: names, reason: refusal, err: error }, 'topics not created');
      }
      this.#refusal = refusal;
    }
  }
}

/** How the bridge makes a topic. */
export function describeTopic(topic: string): ITopicConfig {
  const configEntries = isDeadLetterTopic(topic) ? DEAD_LETTER_CONFIG : TOPIC_CONFIG;
  return { topic, configEntries };
}
