/** The bridge's variables, each part by itself and by the bridge's own readers. */
import {
  ConfigError,
  type Environment,
  list,
} from '../../../worker/protocol/environment/variables.ts';
import { readConsumer, readProcess, readTopics } from '../../config.ts';
import { importSigningKey } from '../../delivery/post/signer.ts';
import { readEventsUrl, readSecrets } from '../../shared/gateway-config.ts';
import { type Check, check, type Facts, failure, fine, outcome } from '../check.ts';
import { shownUrl } from '../gateway.ts';

export const variableChecks: readonly Check[] = [
  variables('variables.kafka', 'variable_unusable', 'consumer', readConsumer, (consumer) => {
    const { brokers, ssl, sasl, groupId } = consumer;
    const tls = ssl === undefined ? 'without TLS' : 'over TLS';
    const user = sasl === undefined ? 'without SASL' : `as ${sasl.username} by ${sasl.mechanism}`;
    return `Kafka is looked for at ${brokers.join(', ')}, ${tls}, ${user}; the group is ${groupId}.`;
  }),
  variables('variables.topics', 'variable_unusable', 'topics', readTopics, ({ required }) => {
    return `The bridge reads ${required.join(', ')}.`;
  }),
  variables('variables.gateway', 'variable_unusable', 'eventsUrl', readEventsUrl, (url) => {
    return `Batches are POSTed to ${shownUrl(url)}.`;
  }),
  variables('variables.secret', 'secret_unusable', 'keys', readKeys, ({ length }) => {
    return `INGEST_SECRET has ${length === 1 ? 'one secret' : `${length} secrets`} in the right format.`;
  }),
  variables('variables.process', 'variable_unusable', undefined, readProcess, ({ host, port }) => {
    return `The bridge serves its health, readiness and metrics on ${host}:${port}.`;
  }),
];

/** When there are several secrets, the one that cannot be used is named by its number. */
async function readKeys(env: Environment) {
  const secrets = list(env.INGEST_SECRET ?? '');
  for (const [index, secret] of secrets.entries()) {
    if (secrets.length === 1) break;
    await importSigningKey(secret).catch(() => {
      throw new ConfigError(
        'INGEST_SECRET',
        `has a secret that is not usable: number ${index + 1}`,
      );
    });
  }
  return readSecrets(env, 'INGEST_SECRET', importSigningKey);
}

function variables<Value>(
  id: string,
  code: string,
  fact: keyof Facts | undefined,
  read: (env: Environment) => Value | Promise<Value>,
  describe: (value: Value) => string,
): Check {
  return check({
    id,
    needs: [],
    provides: fact === undefined ? [] : [fact],
    run: async (_, { env }) => {
      try {
        const value = await read(env);
        return outcome([fine(describe(value))], fact === undefined ? {} : { [fact]: value });
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        return outcome([failure(code, `${error.message}.`)]);
      }
    },
  });
}
