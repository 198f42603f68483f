/**
 * One broker, asked by itself at one address. kafkajs's admin would look for another broker when one does
 * not answer, and its search for a group's coordinator makes Kafka create a topic. It offers nothing
 * below that, so its classes are taken from within; the version is the one that `patchKafkajs` demands.
 *
 * A right is tried by a request that can change nothing whatever is answered. Kafka judges rights before
 * anything else: a partition that cannot exist is written to and read from, and a member that is not in
 * the group is told to be alive.
 */
import { createRequire } from 'node:module';
import kafkajs, { type ITopicConfig } from 'kafkajs';
import { errorTypes } from '../../kafka/kafka-error.ts';
import { patchKafkajs } from '../../kafka/kafkajs/patch.ts';
import type { KafkaConfig } from '../../shared/kafka-config.ts';
import { escapeBrokers, socketFactory } from '../../shared/kafka-sockets.ts';

/** The greatest number that a partition can have. A topic would need as many partitions to have it. */
const NO_PARTITION = 2 ** 31 - 1;
const NO_MEMBER = 'doctor';
const NO_GENERATION = -1;

export interface ClusterMetadata {
  readonly clusterId: string | null;
  readonly controllerId: number;
  readonly brokers: readonly { nodeId: number; host: string; port: number }[];
  readonly topicMetadata: readonly { topic: string; partitionMetadata: readonly object[] }[];
}

export interface GroupDescription {
  readonly state: string;
  readonly protocolType: string;
  /** How partitions are assigned. */
  readonly protocol: string;
  readonly members: readonly {
    readonly memberId: string;
    readonly clientId: string;
    readonly clientHost: string;
    readonly memberMetadata: Buffer;
  }[];
}

/** What kafkajs has for one broker. */
interface KafkajsBroker {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  metadata(topics?: readonly string[]): Promise<ClusterMetadata>;
  describeGroups(request: object): Promise<{ groups: GroupDescription[] }>;
  createTopics(request: object): Promise<unknown>;
  produce(request: object): Promise<unknown>;
  fetch(request: object): Promise<unknown>;
  heartbeat(request: object): Promise<unknown>;
}

export class BrokerConnection {
  readonly address: string;
  readonly #broker: KafkajsBroker;
  readonly #patienceMs: number;

  /** @param address as `host:port`, an IPv6 address in brackets. */
  constructor(config: KafkaConfig, address: string, patienceMs: number) {
    this.address = address;
    this.#patienceMs = patienceMs;
    this.#broker = makeBroker(config, address, patienceMs);
  }

  /** Connects, over TLS and SASL where they are configured. */
  connect(): Promise<void> {
    return this.#broker.connect();
  }

  disconnect(): Promise<void> {
    return this.#broker.disconnect();
  }

  /** All brokers of the cluster, and all topics that the user may see. */
  metadata(): Promise<ClusterMetadata> {
    return this.#broker.metadata();
  }

  /** Whether the user may see `topic`, whether it exists or not. */
  async maySee(topic: string): Promise<boolean> {
    const type = await refusal(() => this.#broker.metadata([topic]));
    return type !== 'TOPIC_AUTHORIZATION_FAILED';
  }

  /** Undefined when another broker coordinates the group, or none does. */
  async describeGroup(groupId: string): Promise<GroupDescription | undefined> {
    try {
      const { groups } = await this.#broker.describeGroups({ groupIds: [groupId] });
      return groups[0];
    } catch (error) {
      if (errorTypes(error).some((type) => ELSEWHERE.includes(type))) return undefined;
      throw error;
    }
  }

  /** Why Kafka would not create `topic`; undefined when it would. */
  refusesToCreate(topic: ITopicConfig): Promise<string | undefined> {
    const request = { topics: [topic], validateOnly: true, timeout: this.#patienceMs };
    return refusal(() => this.#broker.createTopics(request));
  }

  /** Why the user may not read `topic`; undefined when he may. */
  async refusesToRead(topic: string): Promise<string | undefined> {
    const partitions = [{ partition: NO_PARTITION, fetchOffset: 0, maxBytes: 1 }];
    const topics = [{ topic, partitions }];
    const fetch = () => this.#broker.fetch({ replicaId: -1, maxWaitTime: 0, topics });
    return permitted(await refusal(fetch));
  }

  /** Why the user may not write into `topic`; undefined when he may. */
  async refusesToWrite(topic: string): Promise<string | undefined> {
    const topicData = [{ topic, partitions: [{ partition: NO_PARTITION, messages: [] }] }];
    const timeout = this.#patienceMs;
    return permitted(await refusal(() => this.#broker.produce({ topicData, timeout })));
  }

  /** Why the user may not be a member of the group; undefined when he may. */
  async refusesMember(groupId: string): Promise<string | undefined> {
    const member = { groupId, groupGenerationId: NO_GENERATION, memberId: NO_MEMBER };
    return permitted(await refusal(() => this.#broker.heartbeat(member)));
  }
}

/** What a broker answers that does not coordinate a group. */
const ELSEWHERE: readonly string[] = [
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
];
/** What is answered after the right was found. */
const PERMITTED: readonly string[] = [
  ...ELSEWHERE,
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
];

function permitted(type: string | undefined): string | undefined {
  return type !== undefined && PERMITTED.includes(type) ? undefined : type;
}

/** The type of the error that Kafka answers; undefined when it answers none. @throws what is no answer. */
async function refusal(ask: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await ask();
    return undefined;
  } catch (error) {
    const [type] = errorTypes(error);
    if (type === undefined) throw error;
    return type;
  }
}

function makeBroker(config: KafkaConfig, address: string, patienceMs: number): KafkajsBroker {
  patchKafkajs();
  const require = createRequire(import.meta.url);
  const ConnectionPool = require('kafkajs/src/network/connectionPool');
  const Broker = require('kafkajs/src/broker');
  const { createLogger } = require('kafkajs/src/loggers');
  const logger = createLogger({
    level: kafkajs.logLevel.NOTHING,
    logCreator: () => () => {},
  });
  const [escaped = ''] = escapeBrokers([address]);
  const [host, port] = escaped.split(':');
  const connectionPool = new ConnectionPool({
    host,
    port: Number(port),
    clientId: config.clientId,
    ssl: config.ssl === undefined ? null : { ...config.ssl },
    sasl: config.sasl ?? null,
    socketFactory,
    connectionTimeout: patienceMs,
    requestTimeout: patienceMs,
    enforceRequestTimeout: true,
    logger,
  });
  return new Broker({
    connectionPool,
    logger,
    authenticationTimeout: patienceMs,
    allowAutoTopicCreation: false,
  });
}
