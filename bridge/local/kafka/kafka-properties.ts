/** The settings of a Kafka of one node, broker and controller at once, made for a quick start. */
import { LOOPBACK } from '../processes/port.ts';

/** The largest record batch, in bytes: far more than the gateway takes, so that dead letters fit. */
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

/** @param more are settings that stand in for ours, or come to them. */
export function kafkaProperties(
  port: number,
  controllerPort: number,
  logDir: string,
  more: Readonly<Record<string, string>> = {},
): string {
  const settings: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${LOOPBACK}:${controllerPort}`,
    listeners: `PLAINTEXT://${LOOPBACK}:${port},CONTROLLER://${LOOPBACK}:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://${LOOPBACK}:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    // A backslash and other special characters would need escaping in a path.
    'log.dirs': logDir.replaceAll('\\', '\\\\'),

    'message.max.bytes': MAX_MESSAGE_BYTES,
    'replica.fetch.max.bytes': MAX_MESSAGE_BYTES,
    // The broker's clock stamps records: those of a recreated topic are then always later.
    'log.message.timestamp.type': 'LogAppendTime',
    // `kcat -P -t anything` just works.
    'auto.create.topics.enable': true,
    'delete.topic.enable': true,
    'num.partitions': 3,

    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,

    // After a crash the broker may not come back before its old session ends: nine seconds, as set.
    'broker.session.timeout.ms': 2000,
    'broker.heartbeat.interval.ms': 500,

    // One machine, few topics: less memory, fewer threads, smaller files than for a cluster.
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 2,
    'log.cleaner.dedupe.buffer.size': 4 * 1024 * 1024,
    'log.index.size.max.bytes': 1024 * 1024,
    ...more,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  return lines.join('');
}
