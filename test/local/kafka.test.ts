import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { type RunningKafka, startKafka } from '../../bridge/local/kafka/kafka.ts';
import { freePort } from '../../bridge/local/processes/port.ts';
import { temporaryFolder } from '../support/folder.ts';
import { createTopic, kafka, produce, read, uniqueName } from '../support/kafka.ts';
import { isRunning, processesWith } from '../support/processes.ts';
import { until } from '../support/until.ts';
import { startOwned } from './owned.ts';

async function start(port: number, stateDir: string): Promise<RunningKafka> {
  const running = await startKafka({ port, stateDir });
  onTestFinished(() => running.stop());
  return running;
}

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'after %s Kafka goes on in its folder: the same cluster, with every record',
  async (signal) => {
    const [port, folder] = [await freePort(), await temporaryFolder()];
    const first = await start(port, folder);
    await createTopic('kept', 1, first.brokers);
    await produce('kept', [{ value: 'one' }], first.brokers);
    first.kill(signal);
    await first.exited;

    const second = await start(port, folder);
    await produce('kept', [{ value: 'two' }], second.brokers);
    const records = await read('kept', second.brokers);
    await until('both records', () => records.length === 2);

    expect(second.clusterId).toBe(first.clusterId);
    expect(records.map(({ offset, value }) => [offset, value.toString()])).toEqual([
      ['0', 'one'],
      ['1', 'two'],
    ]);
  },
);

test.each(['running', 'stopped'])(
  'a %s broker does not outlive an owner that is killed with SIGKILL',
  async (state) => {
    const folder = await temporaryFolder();
    const broker = await startOwned('kafka', await freePort(), folder);
    expect(isRunning(broker.pid)).toBe(true);
    if (state === 'stopped') process.kill(broker.pid, 'SIGSTOP');

    await broker.killOwner();

    await until('the broker is gone', () => !isRunning(broker.pid), 2000);
    await until('nothing of it is left', () => processesWith(folder).length === 0, 2000);
  },
);

test('a port in use is named, with the variable that sets another', async () => {
  const port = Number(inject('kafkaBrokers')[0]?.split(':')[1]);
  const failure = startKafka({ port, stateDir: await temporaryFolder() });
  await expect(failure).rejects.toThrow(
    `Port ${port} is in use, perhaps by another npm start: stop what uses it, or set KAFKA_PORT to another port.`,
  );
});

test('a broker that cannot start says why and where its log is', async () => {
  const stateDir = await temporaryFolder();
  await mkdir(join(stateDir, 'data'));
  await writeFile(
    join(stateDir, 'data', 'meta.properties'),
    'version=1\ncluster.id=x\nnode.id=7\n',
  );
  await expect(startKafka({ port: await freePort(), stateDir })).rejects.toThrow(
    /^Kafka ended while starting \(exit code 1\): .*node.*7.*; its log is .+kafka\.log\.$/,
  );
});

test('an unknown topic comes to be, a record of 2 MB fits, and the broker stamps the time', async () => {
  const topic = uniqueName('new');
  const before = Date.now();
  const value = 'x'.repeat(2_000_000);
  const producer = kafka().producer({ allowAutoTopicCreation: true });
  onTestFinished(() => producer.disconnect());
  await producer.connect();
  await producer.send({ topic, messages: [{ value, timestamp: '1' }] });
  const records = await read(topic);
  await until('the record', () => records.length === 1);

  expect(records[0]?.value.length).toBe(2_000_000);
  expect(records[0]?.timestamp).toBeGreaterThanOrEqual(before);
});
