/** Whether each broker of KAFKA_BROKERS answers, and each broker of the cluster where it says it is. */
import type { ConsumerConfig } from '../../config.ts';
import { createKafka } from '../../kafka/client.ts';
import { troubleOf } from '../../kafka/kafka-error.ts';
import { createLog } from '../../shared/log.ts';
import {
  type Check,
  check,
  type Facts,
  failure,
  fine,
  type Means,
  type Observation,
  outcome,
  warning,
} from '../check.ts';
import { BrokerConnection } from '../kafka/broker-connection.ts';
import { addressOf, type ClusterView, isLoopback } from '../kafka/cluster-view.ts';

export const brokerChecks: readonly Check[] = [
  check({
    id: 'kafka.brokers',
    needs: ['consumer'],
    provides: ['cluster'],
    run: async ({ consumer }, means) => {
      const answers = await Promise.all(
        consumer.brokers.map((address) => ask(consumer, address, consumer.brokers, means)),
      );
      const views = answers.flatMap(({ view }) => view ?? []);
      const [cluster] = views;
      const observations = answers.map(({ address, view, trouble }) =>
        view === undefined
          ? judgeSilent(address, trouble, cluster !== undefined)
          : fine(`A broker of cluster ${view.metadata.clusterId} answers.`, address),
      );
      const ids = new Set(views.map(({ metadata }) => metadata.clusterId));
      if (ids.size > 1) {
        const message = `KAFKA_BROKERS names brokers of ${ids.size} clusters: ${[...ids].join(', ')}.`;
        observations.push(failure('kafka_clusters_differ', message));
      }
      return outcome(observations, cluster === undefined ? {} : { cluster });
    },
  }),

  check({
    id: 'kafka.listeners',
    needs: ['consumer', 'cluster'],
    provides: ['brokers', 'admin'],
    run: async ({ consumer, cluster }, means) => {
      const { brokers, clusterId } = cluster.metadata;
      const answers = await Promise.all(
        brokers.map((broker) => ask(consumer, addressOf(broker), [], means)),
      );
      const observations = answers.map(({ address, view, trouble }, index) => {
        const who = `Broker ${brokers[index]?.nodeId}`;
        if (view === undefined) return judgeListener(who, address, trouble, consumer);
        if (view.metadata.clusterId === clusterId) {
          return fine(`${who} is reached at the address that it names.`, address);
        }
        const message = `${who} names an address at which another cluster answers here.`;
        return failure('kafka_listener_elsewhere', message, { subject: address });
      });
      if (observations.some(({ status }) => status !== 'ok')) return outcome(observations);
      return outcome(observations, await reached(consumer, answers, means));
    },
  }),
];

interface Answer {
  readonly address: string;
  readonly view?: ClusterView;
  readonly trouble?: ReturnType<typeof troubleOf>;
}

/** @param configured addresses are those that no broker has named. */
async function ask(
  consumer: ConsumerConfig,
  address: string,
  configured: readonly string[],
  { patienceMs, atEnd }: Means,
): Promise<Answer> {
  const broker = new BrokerConnection(consumer, address, patienceMs);
  atEnd(() => broker.disconnect());
  try {
    await broker.connect();
    return { address, view: { broker, metadata: await broker.metadata() } };
  } catch (error) {
    return { address, trouble: troubleOf(error, configured) };
  }
}

/** A broker that is silent stops nobody while others answer. */
function judgeSilent(
  address: string,
  trouble: Answer['trouble'],
  othersAnswer: boolean,
): Observation {
  const { reason, message } = trouble ?? { reason: 'kafka_unavailable', message: undefined };
  const judge = othersAnswer ? warning : failure;
  return judge(reason, `It does not serve us: ${message ?? reason}.`, { subject: address });
}

function judgeListener(
  who: string,
  address: string,
  trouble: Answer['trouble'],
  { brokers }: ConsumerConfig,
): Observation {
  const { reason, message } = trouble ?? { reason: 'kafka_unavailable', message: undefined };
  const isTrap = isLoopback(address) && !brokers.some(isLoopback);
  const code = isTrap ? 'kafka_listener_loopback' : reason;
  const text = `${who} names an address that does not serve us here: ${message ?? reason}.`;
  return failure(code, text, { subject: address });
}

async function reached(
  consumer: ConsumerConfig,
  answers: readonly Answer[],
  { atEnd }: Means,
): Promise<Partial<Facts>> {
  const admin = createKafka(consumer, createLog('silent')).admin();
  atEnd(() => admin.disconnect());
  await admin.connect();
  return { admin, brokers: answers.flatMap(({ view }) => view?.broker ?? []) };
}
