import { spawn } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../bridge/local/processes/port.ts';
import { watchRooms } from '../../bridge/local/tools/watched-rooms.ts';
import { type RunningWorker, startWorker } from '../../bridge/local/worker/worker.ts';
import { temporaryFolder } from '../support/folder.ts';
import { isRunning, processesWith } from '../support/processes.ts';
import { until } from '../support/until.ts';
import { listen, post } from '../support/worker.ts';
import { startOwned } from './owned.ts';

const ROOM = 'trade:BTC-USDC';

function trade(offset: number) {
  const data = `{"tradeId":"t${offset}","price":45000.50,"amount":1.0,"side":"buy"}`;
  return {
    topic: 'trade.notifications',
    offset,
    value: `{"type":"trade_notification","symbol":"BTC-USDC","data":${data},"timestamp":1}`,
  };
}

async function start(log: (line: string) => void = () => {}): Promise<RunningWorker> {
  const worker = await startWorker({
    port: await freePort(),
    stateDir: await temporaryFolder(),
    log,
  });
  onTestFinished(() => worker.stop());
  return worker;
}

/** Kills workerd and waits until another one serves. */
async function killWorkerd(worker: RunningWorker): Promise<void> {
  const pid = worker.workerdPid() ?? expect.unreachable();
  process.kill(pid, 'SIGKILL');
  await until('another workerd', () => ![pid, undefined].includes(worker.workerdPid()));
}

const holds = (frames: string[], text: string) => () =>
  frames.some((frame) => frame.includes(text));

test('workerd killed with SIGKILL comes back on its port with its data, and says so', async () => {
  const lines: string[] = [];
  const worker = await start((line) => lines.push(line));
  expect((await post(worker.url, [trade(0)])).status).toBe(200);

  await killWorkerd(worker);

  expect(lines).toEqual(['workerd ended (SIGKILL); starting it again', 'workerd runs again']);
  const frames = listen(worker.url, ROOM);
  await until('the trade of before', holds(frames, '"tradeId":"t0","price":45000.50'));
});

test('what is watched goes on after a crash where it was: nothing lost, nothing twice', async () => {
  const worker = await start();
  const events: string[] = [];
  const notes: string[] = [];
  const stopping = new AbortController();
  const watching = watchRooms(
    {
      url: worker.url.replace('http', 'ws'),
      rooms: [ROOM],
      token: undefined,
      onFrame: (frame) => events.push(...frame.events.map(({ text }) => text)),
      onNote: (_, note) => notes.push(note),
    },
    stopping.signal,
  );
  await until('the connection', () => notes.includes('connected'));
  await post(worker.url, [trade(0)]);
  await until('the first trade', () => events.length === 1);

  await killWorkerd(worker);
  await until(
    'the next workerd takes a trade',
    async () => (await post(worker.url, [trade(1)])).ok,
  );
  await until('the second trade', () => events.length === 2);
  stopping.abort();
  await watching;

  expect(events.map((event) => JSON.parse(event).data.tradeId)).toEqual(['t0', 't1']);
  expect(notes[1]).toMatch(/^closed .*; connecting again in /);
});

test('`npm run watch` prints an alert once, whatever the rooms', async () => {
  const worker = await start();
  const url = worker.url.replace('http', 'ws');
  const rooms = [ROOM, 'price:BTC-USDC', 'price_updates'];
  const watching = spawn(process.execPath, ['bridge/local/tools/watch.ts', ...rooms, '--url', url]);
  onTestFinished(() => {
    watching.kill();
  });
  let [output, notes] = ['', ''];
  watching.stdout.on('data', (chunk) => {
    output += chunk;
  });
  watching.stderr.on('data', (chunk) => {
    notes += chunk;
  });
  await until('all rooms', () => notes.split('connected').length > rooms.length);
  await until('the room `system`', () => output.includes('"room":"system"'));
  const data = '{"level":"info","title":"t","message":"m"}';
  const value = `{"type":"system_alert","data":${data},"timestamp":1}`;
  await post(worker.url, [{ topic: 'system.alerts', offset: 0, value }, trade(1)]);
  await until('the trade', () => output.includes('"tradeId":"t1"'));
  await until('the alert', () => output.includes('system_alert'));
  expect(output.match(/^.*system_alert.*$/gm)).toEqual([`system  #1  ${value}`]);
});

test('a room that refuses for good ends the watching with its reason', async () => {
  const worker = await start();
  const notes: string[] = [];
  const onNote = (room: string, note: string) => notes.push(`${room}: ${note}`);
  await watchRooms(
    { url: worker.url, rooms: ['user:1', 'a b'], token: undefined, onFrame: () => {}, onNote },
    new AbortController().signal,
  );
  expect(notes).toEqual([
    expect.stringMatching(/^user:1: refused \(token_missing: /),
    expect.stringMatching(/^a b: refused \(room_invalid: /),
  ]);
});

test('where nothing listens, the address that was asked is named', async () => {
  const url = `ws://localhost:${await freePort()}`;
  const notes: string[] = [];
  const stopping = new AbortController();
  const onNote = (_: string, note: string) => {
    notes.push(note);
    stopping.abort();
  };
  await watchRooms(
    { url, rooms: [ROOM], token: undefined, onFrame: () => {}, onNote },
    stopping.signal,
  );
  expect(notes[0]).toMatch(`no answer from ${url}; connecting again in `);
});

test('two run side by side, each with rooms of its own', async () => {
  const [one, two] = await Promise.all([start(), start()]);
  await post(one.url, [trade(0)]);
  await post(two.url, [trade(1)]);
  const frames = listen(two.url, ROOM);
  await until('the trade of the second', holds(frames, '"t1"'));
  expect(frames.join()).not.toContain('"t0"');
});

test('workerd does not outlive an owner that is killed with SIGKILL', async () => {
  const folder = await temporaryFolder();
  const workerd = await startOwned('worker', await freePort(), folder);
  expect(isRunning(workerd.pid)).toBe(true);
  await workerd.killOwner();
  await until('workerd is gone', () => !isRunning(workerd.pid), 2000);
});

test('a port in use is named, with the variable that sets another', async () => {
  const worker = await start();
  const port = Number(new URL(worker.url).port);
  await expect(startWorker({ port, stateDir: await temporaryFolder() })).rejects.toThrow(
    `Port ${port} is in use, perhaps by another npm start: stop what uses it, or set PORT to another port.`,
  );
});

test('a Worker that does not load says why', async () => {
  const stateDir = await temporaryFolder();
  const failure = startWorker({
    port: await freePort(),
    stateDir,
    configPath: `${stateDir}/none.toml`,
  });
  await expect(failure).rejects.toThrow(/^The Worker did not start: .*none\.toml/s);
  expect(processesWith(stateDir)).toEqual([]);
});
