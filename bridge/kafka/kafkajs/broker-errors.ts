/**
 * A repair of kafkajs 2.2.4: what each broker answered was swallowed when all of them refused, so that
 * a group without rights was reported as a coordinator that is not found. Now the last refusal is thrown.
 */

type Ask = (target: { nodeId: string; broker: unknown }) => Promise<unknown>;

interface BrokerPool {
  withBroker(ask: Ask): Promise<unknown>;
}

export function patchBrokerErrors(require: NodeJS.Require): void {
  const pool: BrokerPool = require('kafkajs/src/cluster/brokerPool').prototype;
  const original = pool.withBroker;
  pool.withBroker = async function (this: BrokerPool, ask) {
    let refusal: unknown;
    const answer = await original.call(this, async (target) => {
      try {
        return await ask(target);
      } catch (error) {
        refusal = error;
        throw error;
      }
    });
    // It is null only when every broker has refused.
    if (answer === null && refusal !== undefined) throw refusal;
    return answer;
  };
}
