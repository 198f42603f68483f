/** The rights of the user whom Kafka sees, each tried by a request that changes nothing. */
import { type Check, check, failure, fine, type Observation, outcome } from '../check.ts';

export const rightChecks: readonly Check[] = [
  check({
    id: 'kafka.rights.topics',
    needs: ['cluster', 'present'],
    run: async ({ cluster, present: { topics } }) => {
      const ask = (topic: string) => cluster.broker.refusesToRead(topic);
      const refused = (topic: string, why: string) =>
        failure(why, `Kafka does not let the bridge read it: ${why}.`, { subject: topic });
      return outcome(await judgeEach(topics, ask, refused, 'The bridge may read its topics.'));
    },
  }),

  check({
    id: 'kafka.rights.dead_letters',
    needs: ['cluster', 'present'],
    run: async ({ cluster, present: { deadLetters } }) => {
      const ask = (topic: string) => cluster.broker.refusesToWrite(topic);
      const refused = (topic: string, why: string) =>
        failure(why, `Kafka does not let the bridge write there: ${why}.`, { subject: topic });
      const permitted = 'The bridge may write dead letters.';
      return outcome(await judgeEach(deadLetters, ask, refused, permitted));
    },
  }),

  check({
    id: 'kafka.rights.group',
    needs: ['cluster', 'consumer'],
    provides: ['membership'],
    run: async ({ cluster, consumer: { groupId } }) => {
      const why = await cluster.broker.refusesMember(groupId);
      if (why === undefined) {
        return outcome([fine(`The bridge may join the group ${groupId}.`)], { membership: true });
      }
      return outcome([failure(why, `Kafka does not let it join the group ${groupId}: ${why}.`)]);
    },
  }),
];

async function judgeEach(
  topics: readonly string[],
  refusal: (topic: string) => Promise<string | undefined>,
  refused: (topic: string, why: string) => Observation,
  permitted: string,
): Promise<Observation[]> {
  if (topics.length === 0) return [fine('There is no topic yet that a right could be tried on.')];
  const found: Observation[] = [];
  for (const topic of topics) {
    const why = await refusal(topic);
    if (why !== undefined) found.push(refused(topic, why));
  }
  return found.length === 0 ? [fine(permitted)] : found;
}
