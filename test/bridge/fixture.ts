/** What a test on real Kafka stands on: a cluster, a fake Worker, and bridges that end with it. */
import { test as base } from 'vitest';
import { type BridgeProcess, spawnBridge } from './bridge-process.ts';
import { type Cluster, connectCluster } from './cluster.ts';
import { type FakeWorker, startFakeWorker } from './fake-worker.ts';
import { type RunningBridge, runBridge } from './running-bridge.ts';

interface Fixture {
  readonly cluster: Cluster;
  readonly worker: FakeWorker;
  /** Runs a bridge in this process. */
  readonly run: (topics: string[], env?: Record<string, string>) => Promise<RunningBridge>;
  /** Runs a bridge in a process of its own. */
  readonly spawn: (
    topics: string[],
    groupId: string,
    env?: Record<string, string>,
    awaited?: string,
  ) => Promise<BridgeProcess>;
}

export const test = base.extend<Fixture>({
  cluster: async ({ task: _ }, use) => {
    const cluster = await connectCluster();
    await use(cluster);
    await cluster.disconnect();
  },
  worker: async ({ task: _ }, use) => {
    const worker = await startFakeWorker();
    await use(worker);
    await worker.stop();
  },
  run: async ({ worker }, use) => {
    const bridges: RunningBridge[] = [];
    await use(async (topics, env) => {
      const bridge = await runBridge(worker, topics, env);
      bridges.push(bridge);
      return bridge;
    });
    worker.behave = () => ({ kind: 'append' });
    await Promise.all(bridges.map((bridge) => bridge.stop()));
  },
  spawn: async ({ worker }, use) => {
    const bridges: BridgeProcess[] = [];
    await use(async (topics, groupId, env, awaited) => {
      const bridge = await spawnBridge(worker.url, topics, groupId, env, awaited);
      bridges.push(bridge);
      return bridge;
    });
    for (const { child } of bridges) child.kill('SIGKILL');
  },
});
