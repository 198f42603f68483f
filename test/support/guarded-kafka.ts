/**
 * A broker with a listener for each way to be kept out: TLS, SASL with rights, and an address that nobody
 * reaches. Its plain listener lets everybody do everything.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { startKafka } from '../../bridge/local/kafka/kafka.ts';
import { freePorts, LOOPBACK } from '../../bridge/local/processes/port.ts';
import { certify, KEYSTORE_PASSWORD } from './certificate.ts';
import { kafka as connectTo } from './kafka.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

export interface GuardedKafka {
  /** `127.0.0.1:port` of each listener. */
  readonly plain: string;
  readonly tls: string;
  readonly sasl: string;
  /** It answers, and names an address where nobody listens. */
  readonly lost: string;
  /** A PEM file with the certificate of the TLS listener, which is for localhost only. */
  readonly caFile: string;
  /** Gives a user of SASL a right. */
  grant(
    user: User,
    on: { topic: string } | { group: string },
    right: 'READ' | 'WRITE' | 'DESCRIBE',
  ): Promise<void>;
  stop(): Promise<void>;
}

/** Each has its name as its password, and no right. */
const USERS = ['bridge', 'ungrouped', 'onlooker', 'blind', 'stranger'] as const;
type User = (typeof USERS)[number];

const LOGIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required';

export async function startGuardedKafka(): Promise<GuardedKafka> {
  const folder = await mkdtemp(join(tmpdir(), 'gateway-guarded-kafka-'));
  const { keystore, caFile } = await certify(folder);
  const ports = await freePorts(6);
  const [plain = '', tls = '', sasl = '', lost = '', controller = '', nobody = ''] = ports.map(
    (port) => `${LOOPBACK}:${port}`,
  );
  const [port = 0] = ports;
  const listeners = { PLAINTEXT: plain, TLS: tls, SASL: sasl, LOST: lost };
  const kafka = await startKafka({
    port,
    stateDir: folder,
    settings: {
      listeners: listed({ ...listeners, CONTROLLER: controller }),
      'controller.quorum.voters': `1@${controller}`,
      'advertised.listeners': listed({ ...listeners, LOST: nobody }),
      'listener.security.protocol.map':
        'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,LOST:PLAINTEXT,TLS:SSL,SASL:SASL_PLAINTEXT',
      'listener.name.tls.ssl.keystore.location': keystore,
      'listener.name.tls.ssl.keystore.password': KEYSTORE_PASSWORD,
      'listener.name.tls.ssl.keystore.type': 'PKCS12',
      'listener.name.sasl.sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.sasl.plain.sasl.jaas.config': `${LOGIN} ${USERS.map((user) => `user_${user}="${user}"`).join(' ')};`,
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
    },
  });
  return {
    plain,
    tls,
    sasl,
    lost,
    caFile,
    async grant(user, on, right) {
      const admin = connectTo(kafka.brokers).admin();
      await admin.connect();
      await admin.createAcls({
        acl: [
          {
            principal: `User:${user}`,
            host: '*',
            resourceType: 'group' in on ? AclResourceTypes.GROUP : AclResourceTypes.TOPIC,
            resourceName: 'group' in on ? on.group : on.topic,
            resourcePatternType: ResourcePatternTypes.LITERAL,
            operation: AclOperationTypes[right],
            permissionType: AclPermissionTypes.ALLOW,
          },
        ],
      });
      await admin.disconnect();
    },
    async stop() {
      await kafka.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function listed(listeners: Readonly<Record<string, string>>): string {
  return Object.entries(listeners)
    .map(([name, address]) => `${name}://${address}`)
    .join();
}
