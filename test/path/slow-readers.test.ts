/**
 * Ten sockets of a thousand never read, in real workerd: the room neither holds for them what they do
 * not take, nor lets the others wait or miss anything. The kernel takes some 4 MB for each socket
 * before workerd sees that nobody reads, so more than that has to flow.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../bridge/local/processes/port.ts';
import { startWorker } from '../../bridge/local/worker/worker.ts';
import { CLOSE_CODES } from '../../worker/protocol/codes.ts';
import { STALL_LIMIT } from '../../worker/room/delivery/laggards.ts';
import { Crowd, type CrowdReport } from '../support/crowd.ts';
import { temporaryFolder } from '../support/folder.ts';
import { residentMemory } from '../support/resident-memory.ts';
import { SlowReader } from '../support/slow-reader.ts';
import { type Uniform, UniformEvents } from '../support/uniform-events.ts';
import { until } from '../support/until.ts';
import { post } from '../support/worker.ts';

const READING = 990;
const SLOW = 10;
/** Large, since a room of a thousand is flushed ten times a second at most. */
const EVENT_LENGTH = 96 * 1024;
/** Up to here the kernel takes it for the ten, and workerd grows to what a flush to all needs. */
const USUAL_EVENTS = 45;
const TIMEOUT_MS = 180_000;

test('in a keyed room they get the latest when they read on', { timeout: TIMEOUT_MS }, async () => {
  // 10 MB a socket, in less time than a room waits for one that takes nothing. Without flow control
  // workerd holds 6 MB of that for each of the ten (seen: 55 MB more, and 7 with it).
  const { slow, report, growth } = await flow('orderbook', 105);
  expect(report).toMatchObject({ ...COMPLETE, events: READING * 105 });
  expect(growth).toBeLessThan(30);

  for (const reader of slow) reader.readOn();
  await until('they are at the head', () => slow.every(({ cursor }) => cursor === 105));
  for (const { read, faults } of slow) {
    expect(faults).toEqual([]);
    expect(read.every((frame) => 'whole' in frame)).toBe(true);
    expect(read.some((frame) => 'whole' in frame && !frame.whole)).toBe(true);
  }
});

test('in a durable room they get a gap, or are closed as too slow', {
  timeout: TIMEOUT_MS,
}, async () => {
  const { slow, report, growth } = await flow('trade', 160);
  expect(report).toMatchObject({ ...COMPLETE, events: READING * 160 });
  expect(growth).toBeLessThan(60);

  const [patient, late] = [slow.slice(0, SLOW / 2), slow.slice(SLOW / 2)];
  for (const reader of patient) reader.readOn();
  await until('they are at the head', () =>
    patient.every(({ cursor, ended }) => cursor === 160 || ended !== undefined),
  );
  for (const { read, faults, ended } of patient) {
    expect(faults).toEqual([]);
    // On a machine so busy that the flow took half a minute it is closed already.
    if (ended !== undefined) expect(ended).toBe(TOO_SLOW);
    else expect(read.map((frame) => ('type' in frame ? frame.type : 'events'))).toContain('gap');
  }

  await sleep(STALL_LIMIT + 5_000);
  for (const reader of late) reader.readOn();
  await until('they are closed', () => late.every(({ ended }) => ended !== undefined));
  for (const { faults, ended, read } of late) {
    expect(ended).toBe(TOO_SLOW);
    expect(faults).toEqual([]);
    expect(read.every((frame) => 'whole' in frame && frame.whole)).toBe(true);
  }
});

test('a socket that reads is not taken for a slow one, however much comes at once', async () => {
  const { url, crowd, events } = await room('orderbook', 40 * 1024);
  await crowd.join({ url, uniform: events.uniform, sockets: 1, samples: 0 });
  await crowd.begin();
  // One flush of more than a frame; then several flushes in a row.
  await publish(url, events, 1, 10);
  for (let seq = 11; seq <= 20; seq++) await publish(url, events, seq, seq);
  expect(await crowd.reach(20)).toMatchObject({ missing: 0, conflated: 0, faults: [] });
});

const TOO_SLOW = `${CLOSE_CODES.slow_consumer.close} slow_consumer`;
const COMPLETE: Partial<CrowdReport> = { members: READING, missing: 0, conflated: 0, faults: [] };

/**
 * Fills a room, and publishes `count` events, each once the 990 have the one before.
 * @returns how much more memory workerd took at most than it took before any kernel buffer was full.
 */
async function flow(kind: Uniform['kind'], count: number) {
  const { url, worker, crowd, events } = await room(kind, EVENT_LENGTH);
  await crowd.join({ url, uniform: events.uniform, sockets: READING, samples: 0 });
  const slow = await Promise.all(Array.from({ length: SLOW }, () => SlowReader.join(url, events)));
  onTestFinished(() => {
    for (const reader of slow) reader.cut();
  });

  await crowd.begin();
  const memory: number[] = [];
  let report: CrowdReport | undefined;
  for (let seq = 1; seq <= count; seq++) {
    await publish(url, events, seq, seq);
    report = await crowd.reach(seq);
    memory.push(residentMemory(worker.workerdPid() ?? 0));
  }
  const usual = Math.max(...memory.slice(0, USUAL_EVENTS));
  return { slow, report, growth: Math.max(...memory) - usual };
}

/** A Worker of its own, with a room that is empty. */
async function room(kind: Uniform['kind'], length: number) {
  const events = new UniformEvents({ kind, symbol: 'SLOW', length });
  const worker = await startWorker({
    port: await freePort(),
    stateDir: await temporaryFolder(),
    bindings: { ROOM_MAX_SOCKETS: '2000' },
  });
  onTestFinished(() => worker.stop());
  const crowd = new Crowd();
  onTestFinished(() => crowd.stop());
  return { worker, url: worker.url, crowd, events };
}

/** Publishes the events `first` to `last` as one batch. */
async function publish(
  url: string,
  events: UniformEvents,
  first: number,
  last: number,
): Promise<void> {
  const records = Array.from({ length: last - first + 1 }, (_, index) => {
    return { topic: events.topic, offset: first + index, value: events.compose(0) };
  });
  expect((await post(url, records)).status).toBe(200);
}
