/**
 * A process to be killed: it starts what its arguments name, says which processes it has, and waits.
 * `node owner.ts kafka|worker|lock PORT FOLDER`
 */

import { startKafka } from '../../bridge/local/kafka/kafka.ts';
import { acquireLock } from '../../bridge/local/processes/file-lock.ts';
import { startWorker } from '../../bridge/local/worker/worker.ts';

const [kind, port, folder = ''] = process.argv.slice(2);
const options = { port: Number(port), stateDir: folder };

async function start(): Promise<number | undefined> {
  switch (kind) {
    case 'kafka':
      return (await startKafka(options)).pid;
    case 'worker':
      return (await startWorker(options)).workerdPid();
    default:
      return acquireLock(folder) && process.pid;
  }
}

console.log(JSON.stringify({ pid: await start() }));
setInterval(() => {}, 60_000);
