/** Starts a contender on the servers' core. */

import { accessSync, constants } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { type OwnedProcess, spawnOwned } from '../../../bridge/local/processes/owned-process.ts';
import { freePort, LOOPBACK } from '../../../bridge/local/processes/port.ts';
import { startWorker } from '../../../bridge/local/worker/worker.ts';
import { DEVELOPMENT_INGEST_SECRET } from '../../../worker/protocol/environment/development.ts';
import { ROOT } from '../../support/stack.ts';
import type { ServerCore } from '../cores.ts';
import type { ContenderName } from './dialects.ts';

export interface Contender {
  readonly name: ContenderName;
  /** Where its clients connect. */
  readonly url: string;
  /** The processes whose CPU time and memory count, by name. */
  readonly processes: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

export interface Surroundings {
  readonly broker: string;
  readonly topic: string;
  readonly group: string;
  /** A folder of this contender's own, which is there. */
  readonly folder: string;
  readonly core: ServerCore;
  /** For `node`, such as `--cpu-prof`. */
  readonly nodeArgs: readonly string[];
}

const STOP_GRACE_MS = 5_000;

export function startContender(name: ContenderName, at: Surroundings): Promise<Contender> {
  switch (name) {
    case 'gateway':
      return startGateway(at);
    case 'socket.io':
      return startPeer(name, at, nodeCommand(at, 'socket-io-server.ts'));
    case 'ws':
      return startPeer(name, at, nodeCommand(at, 'ws-server.ts'));
    case 'centrifugo':
      return startPeer(name, at, ({ port }) => centrifugoCommand(at, port));
  }
}

/** Whether there is a program of this name on the PATH. */
export function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

type Command = (where: { readonly port: number }) => Promise<readonly string[]>;

async function startPeer(
  name: ContenderName,
  at: Surroundings,
  commandOf: Command,
): Promise<Contender> {
  const port = await freePort();
  const server = await spawnOn(at.core, await commandOf({ port }), {
    PORT: String(port),
    KAFKA_BROKERS: at.broker,
    KAFKA_TOPICS: at.topic,
    KAFKA_GROUP_ID: at.group,
    // Node warns of a timer of kafkajs, which the bridge repairs and its peers do not.
    NODE_NO_WARNINGS: '1',
  });
  return {
    name,
    url: `ws://${LOOPBACK}:${port}`,
    processes: { server: server.pid },
    stop: () => server.stop(STOP_GRACE_MS),
  };
}

function nodeCommand({ nodeArgs }: Surroundings, file: string): Command {
  return async () => [process.execPath, ...nodeArgs, join(import.meta.dirname, 'servers', file)];
}

async function startGateway(at: Surroundings): Promise<Contender> {
  const { broker, topic, group, folder, core, nodeArgs } = at;
  const worker = await startWorker({
    port: await freePort(),
    stateDir: join(folder, 'worker'),
    log: (line) => console.log(`workerd: ${line}`),
  });
  const workerd = worker.workerdPid() ?? 0;
  core.take(workerd);
  const command = [process.execPath, ...nodeArgs, resolve(ROOT, 'bridge/main.ts')];
  const bridge = await spawnOn(core, command, {
    LOG_LEVEL: 'warn',
    KAFKA_BROKERS: broker,
    KAFKA_TOPICS: topic,
    KAFKA_GROUP_ID: group,
    WEBSOCKET_GATEWAY_URL: worker.url,
    INGEST_SECRET: DEVELOPMENT_INGEST_SECRET,
    BRIDGE_PORT: '0',
  });
  return {
    name: 'gateway',
    url: worker.url.replace('http', 'ws'),
    processes: { workerd, bridge: bridge.pid },
    async stop() {
      await bridge.stop(STOP_GRACE_MS);
      await worker.stop();
    },
  };
}

/** A record names its channels in a header. There is no history, as by default: it does the least it can. */
async function centrifugoCommand(at: Surroundings, port: number): Promise<readonly string[]> {
  const file = join(at.folder, 'centrifugo.json');
  const anyone = { allow_subscribe_for_client: true, allow_subscribe_for_anonymous: true };
  const kafka = {
    brokers: [at.broker],
    topics: [at.topic],
    consumer_group: at.group,
    publication_data_mode: { enabled: true, channels_header: CHANNELS_HEADER },
  };
  const config = {
    http_server: { address: LOOPBACK, port },
    log: { level: 'error' },
    usage_stats: { disabled: true },
    client: { allowed_origins: ['*'], allow_anonymous_connect_without_token: true },
    channel: { namespaces: [{ name: 'price', ...anyone }] },
    consumers: [{ name: 'events', enabled: true, type: 'kafka', kafka }],
  };
  await writeFile(file, JSON.stringify(config));
  return ['centrifugo', '--config', file];
}

/** The header by which Centrifugo knows the channels of a record. The others do not read it. */
export const CHANNELS_HEADER = 'centrifugo-channels';

function spawnOn(
  core: ServerCore,
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<OwnedProcess> {
  const [program = '', ...args] = [...core.launcher, ...command];
  return spawnOwned(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
