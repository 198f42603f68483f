/** Whether the topics and their dead-letter topics exist, or the bridge may make them. */
import { deadLetterTopic, describeTopic } from '../../kafka/topics.ts';
import { type Check, check, failure, fine, type Observation, outcome, warning } from '../check.ts';
import type { BrokerConnection } from '../kafka/broker-connection.ts';
import { partitionCounts } from '../kafka/cluster-view.ts';

export const topicChecks: readonly Check[] = [
  check({
    id: 'kafka.topics',
    needs: ['cluster', 'topics'],
    provides: ['present'],
    run: async ({ cluster, topics }) => {
      const counts = partitionCounts(cluster);
      const isThere = (topic: string) => counts.has(topic);
      const existing = [...topics.required, ...topics.optional].filter(isThere);
      const missing = topics.required.filter((topic) => !isThere(topic));
      const listed = existing.map((topic) => `${topic} (${partitions(counts.get(topic) ?? 0)})`);
      return outcome(
        [
          ...(existing.length > 0 ? [fine(`These exist: ${listed.join(', ')}.`)] : []),
          ...(await Promise.all(missing.map((topic) => judgeMissing(cluster.broker, topic)))),
        ],
        {
          present: {
            topics: existing,
            deadLetters: existing.map(deadLetterTopic).filter(isThere),
          },
        },
      );
    },
  }),

  check({
    id: 'kafka.dead_letters',
    needs: ['cluster', 'topics'],
    run: async ({ cluster, topics }) => {
      const counts = partitionCounts(cluster);
      const optional = topics.optional.filter((topic) => counts.has(topic));
      const wanted = [...topics.required, ...optional].map(deadLetterTopic);
      const missing = wanted.filter((topic) => !counts.has(topic));
      const judged = missing.map((topic) => judgeMissing(cluster.broker, topic));
      return outcome(
        missing.length === 0
          ? [fine('Each topic has its dead-letter topic.')]
          : await Promise.all(judged),
      );
    },
  }),
];

/** A topic that the bridge makes at its start is worth a word, because it gets the broker's defaults. */
async function judgeMissing(broker: BrokerConnection, topic: string): Promise<Observation> {
  const subject = { subject: topic };
  if (!(await broker.maySee(topic))) {
    return failure('topic_hidden', 'The user may not see it, whether it exists or not.', subject);
  }
  const refusal = await broker.refusesToCreate(describeTopic(topic));
  if (refusal === undefined) {
    return warning('topic_absent', 'It does not exist. The bridge will make it.', subject);
  }
  const message = `It does not exist, and the bridge could not make it: ${refusal}.`;
  return failure('topic_missing', message, subject);
}

function partitions(count: number): string {
  return count === 1 ? '1 partition' : `${count} partitions`;
}
