/** A bridge in this process, with a group of its own, and the questions that tests ask of it. */

import { inject } from 'vitest';
import { startBridge } from '../../bridge/bridge.ts';
import { readConfig } from '../../bridge/config.ts';
import { createLog } from '../../bridge/shared/log.ts';
import { uniqueName } from '../support/kafka.ts';
import { until } from '../support/until.ts';
import { type FakeWorker, SECRET } from './fake-worker.ts';

export interface ReadinessPage {
  readonly ready: boolean;
  readonly problems: Record<string, string>;
  readonly details: Record<string, { message?: string; remedy?: string }>;
}

export interface RunningBridge {
  readonly groupId: string;
  ready(): Promise<ReadinessPage>;
  /** The sum of a metric over the series that have `labels`. */
  metric(name: string, labels?: Record<string, string>): Promise<number>;
  stop(): Promise<void>;
}

/** Resolves once it consumes. */
export async function runBridge(
  worker: Pick<FakeWorker, 'url'>,
  topics: string[],
  env: Record<string, string> = {},
): Promise<RunningBridge> {
  const groupId = env.KAFKA_GROUP_ID ?? uniqueName('group');
  const config = await readConfig(
    bridgeEnvironment(worker.url, topics, { ...env, KAFKA_GROUP_ID: groupId }),
  );
  const bridge = await startBridge(config, createLog(process.env.TEST_LOG_LEVEL ?? 'silent'));
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= bridge.stop();
    return stopped;
  };
  const running = { groupId, stop, ...observe(bridge.port) };
  await until(
    'a bridge that consumes',
    async () => (await running.metric('bridge_rebalances_total')) > 0,
  );
  return running;
}

export function bridgeEnvironment(
  url: string,
  topics: string[],
  env: Record<string, string>,
): Record<string, string> {
  return {
    KAFKA_BROKERS: inject('kafkaBrokers').join(','),
    KAFKA_TOPICS: topics.join(','),
    // Each test has topics of its own, which the fake Worker takes.
    KAFKA_TOPICS_VERIFY: 'false',
    KAFKA_SESSION_TIMEOUT_MS: '3000',
    WEBSOCKET_GATEWAY_URL: url,
    INGEST_SECRET: SECRET,
    BRIDGE_PORT: '0',
    ...env,
  };
}

/** The bridge's own HTTP. */
export function observe(port: number): Pick<RunningBridge, 'ready' | 'metric'> {
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  return {
    ready: async () => (await (await get('/ready')).json()) as ReadinessPage,
    async metric(name, labels = {}) {
      let sum = 0;
      for (const line of (await (await get('/metrics')).text()).split('\n')) {
        const found = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
        if (found?.[1] !== name) continue;
        const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
        if (wanted.every((pair) => found[2]?.includes(pair))) sum += Number(found[3]);
      }
      return sum;
    },
  };
}
