import { expect, onTestFinished, test } from 'vitest';
import { startKafka } from '../../bridge/local/kafka/kafka.ts';
import { freePort } from '../../bridge/local/processes/port.ts';
import { temporaryFolder } from '../support/folder.ts';
import { createTopic, produce, uniqueName } from '../support/kafka.ts';
import { until } from '../support/until.ts';
import { numbered } from './cluster.ts';
import { startFakeWorker } from './fake-worker.ts';
import { runBridge } from './running-bridge.ts';

test('a broker that is killed and comes back is read on, complete, by the same bridge', async () => {
  const options = { port: await freePort(), stateDir: await temporaryFolder() };
  const first = await startKafka(options);
  const topic = uniqueName('topic');
  await createTopic(topic, 1, first.brokers);
  await produce(topic, numbered(100), first.brokers);
  const worker = await startFakeWorker();
  const bridge = await runBridge(worker, [topic], {
    KAFKA_BROKERS: first.brokers.join(','),
    BRIDGE_BUFFER_MIB: '1',
  });
  await worker.arrival(topic, 100);
  // The Worker is out as well, long enough for the partition to be paused when Kafka goes.
  worker.behave = () => ({ kind: 'answer', status: 503 });
  for (const from of [100, 2_600]) await produce(topic, numbered(2_500, from), first.brokers);
  await until('a full lane', async () => (await bridge.metric('bridge_buffered_bytes')) > 1e6);

  first.kill('SIGKILL');
  await first.exited;
  await until('the outage on the readiness page', async () => {
    return 'kafka' in (await bridge.ready()).problems;
  });
  const second = await startKafka(options);
  await until('a bridge that consumes', async () => {
    const { problems } = await bridge.ready();
    return !('kafka' in problems);
  });
  worker.behave = () => ({ kind: 'append' });
  await produce(topic, numbered(100, 5_100), second.brokers);
  const records = await worker.arrival(topic, 5_200);
  expect(records.map(({ offset }) => offset)).toEqual(Array.from({ length: 5_200 }, (_, n) => n));

  await bridge.stop();
  await worker.stop();
  await second.stop();
});

test('a broker that hangs makes the bridge unready while it hangs, and not longer', async () => {
  const kafka = await startKafka({ port: await freePort(), stateDir: await temporaryFolder() });
  onTestFinished(() => kafka.stop());
  const topic = uniqueName('topic');
  await createTopic(topic, 1, kafka.brokers);
  const worker = await startFakeWorker();
  onTestFinished(() => worker.stop());
  const bridge = await runBridge(worker, [topic], { KAFKA_BROKERS: kafka.brokers.join(',') });
  onTestFinished(() => bridge.stop());
  await until('readiness', async () => (await bridge.ready()).ready);

  kafka.kill('SIGSTOP');
  await until('red', async () => 'kafka' in (await bridge.ready()).problems, 15_000);
  kafka.kill('SIGCONT');
  await until('green', async () => (await bridge.ready()).ready);
  await produce(topic, numbered(10), kafka.brokers);
  await worker.arrival(topic, 10);
});
