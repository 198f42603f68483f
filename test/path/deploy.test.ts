/**
 * Deploys while prices flow: objects of the old version leave by themselves, and then another workerd,
 * of another version, takes over their state. Nobody misses anything, and no numbering begins anew.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../bridge/local/processes/port.ts';
import { type RunningWorker, startWorker } from '../../bridge/local/worker/worker.ts';
import { GatewayClient } from '../../worker/client/index.ts';
import { STARTING_TIME } from '../../worker/room/departure.ts';
import { configWithMain } from '../support/config-with-main.ts';
import { temporaryFolder } from '../support/folder.ts';
import { until } from '../support/until.ts';
import { post } from '../support/worker.ts';

const SYMBOL = 'DEPLOYED';
const ROOM = `price:${SYMBOL}`;
const READERS = 20;
const PRICE_EVERY = 50;
const VERSIONS = ['2100-01-01T00:00:00Z', '2100-01-02T00:00:00Z'];

/** A bare WebSocket that comes back with its cursor, when it is told to. */
class BareReader {
  readonly seqs: number[] = [];
  readonly epochs = new Set<number>();
  readonly endings: string[] = [];
  readonly surprises: string[] = [];
  comesBack = true;
  readonly #url: string;

  constructor(url: string) {
    this.#url = url.replace('http', 'ws');
    this.connect();
  }

  connect(): void {
    const [epoch] = this.epochs;
    const since = epoch === undefined ? '' : `&since=${epoch}:${this.seqs.at(-1) ?? 0}`;
    const socket = new WebSocket(`${this.#url}/v1/rooms/${ROOM}?system=off${since}`);
    onTestFinished(() => socket.close());
    let told = 'nothing';
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(String(data));
      if (frame.type === 'subscribed') this.epochs.add(frame.epoch);
      if (frame.type === 'events') {
        for (const { seq } of frame.events) this.seqs.push(seq);
      }
      if (frame.type === 'shutdown') told = frame.type;
      const isNew = since === '' && frame.type === 'snapshot';
      if (frame.type === 'gap' || (frame.type === 'snapshot' && !isNew)) {
        this.surprises.push(frame.type);
      }
    };
    socket.onclose = ({ code, reason }) => {
      this.endings.push(`${code} ${reason} after ${told}`);
      if (this.comesBack) this.connect();
    };
  }
}

/** Publishes prices one by one, as a Worker of a version does. */
class Feed {
  published = 0;
  version: string | undefined;

  async publish(worker: RunningWorker, count: number): Promise<void> {
    for (let left = count; left > 0; left--) {
      const offset = this.published;
      const data = `{"price":${offset}}`;
      const value = `{"type":"price_update","symbol":"${SYMBOL}","data":${data},"timestamp":1,"priority":"high"}`;
      const headers = this.version === undefined ? {} : { 'x-version': this.version };
      const { status } = await post(
        worker.url,
        [{ topic: 'price.updates', offset, value }],
        headers,
      );
      expect(status).toBe(200);
      this.published++;
      await pause(PRICE_EVERY);
    }
  }
}

test('a hot price room is deployed twice: no gap, no new epoch, nothing lost or twice', async () => {
  const stateDir = await temporaryFolder();
  const configPath = await configWithMain(stateDir, 'test/workerd/support/two-versions.ts');
  const port = await freePort();
  const start = () => startWorker({ port, stateDir: join(stateDir, 'objects'), configPath });

  const old = await start();
  onTestFinished(() => old.stop());
  const readers = Array.from({ length: READERS }, () => new BareReader(old.url));
  const client = new GatewayClient({ url: old.url });
  onTestFinished(() => client.close());
  const heard: number[] = [];
  const troubles: unknown[] = [];
  client.on('error', (error) => troubles.push(error));
  let isShown = false;
  client.subscribe(ROOM, {
    onSnapshot: () => {
      if (isShown) troubles.push('a snapshot of what it did not miss');
      isShown = true;
    },
    onEvent: ({ data }) => heard.push(Number(data.price)),
    onGap: (gap) => troubles.push(gap),
  });
  await until('all have joined', () => readers.every(({ epochs }) => epochs.size > 0));
  await until('the client has joined', () => isShown);
  const feed = new Feed();
  const allHave = () =>
    until(
      'all have every price',
      () =>
        heard.length === feed.published &&
        readers.every(({ seqs }) => seqs.length === feed.published),
    );

  // The objects are told of a newer version amid the flow. Those that take over run the same code.
  await feed.publish(old, STARTING_TIME / PRICE_EVERY + 10);
  feed.version = VERSIONS[0];
  await feed.publish(old, STARTING_TIME / PRICE_EVERY + 10);
  await allHave();
  const oneDeparture = ['4503 shutdown after shutdown'];
  for (const { endings } of readers) expect(endings).toEqual(oneDeparture);

  // They leave once more, and a workerd of another version wakes them, with the tail that they have saved.
  for (const reader of readers) reader.comesBack = false;
  feed.version = VERSIONS[1];
  await feed.publish(old, 1);
  await until('all were let go', () => readers.every(({ endings }) => endings.length === 2));
  await old.stop();
  feed.version = undefined;
  const next = await start();
  onTestFinished(() => next.stop());
  for (const reader of readers) {
    expect(reader.endings).toEqual([...oneDeparture, ...oneDeparture]);
    reader.seqs.length -= 5;
    reader.connect();
  }
  await feed.publish(next, 10);
  await allHave();

  const all = Array.from({ length: feed.published }, (_, index) => index);
  expect([heard, troubles]).toEqual([all, []]);
  for (const { seqs, epochs, surprises } of readers) {
    expect([seqs, epochs.size, surprises]).toEqual([all.map((index) => index + 1), 1, []]);
  }
});
