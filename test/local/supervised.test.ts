import { expect, test } from 'vitest';
import { type Running, Supervised } from '../../bridge/local/processes/supervised.ts';
import { until } from '../support/until.ts';

/** Parts that end when told to, and a clock that only pauses move. */
class Workshop {
  time = 0;
  launches = 0;
  readonly pauses: number[] = [];
  readonly lines: string[] = [];
  failing = false;
  #end: (how: string) => void = () => {};

  end(how = 'SIGKILL'): void {
    this.#end(how);
  }

  launch = async (): Promise<Running> => {
    this.launches++;
    if (this.failing) throw new Error('no such port');
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#end = resolve;
    return { exited: promise, stop: async () => resolve('stopped') };
  };

  start() {
    const options = {
      name: 'The part',
      launch: this.launch,
      log: (line: string) => this.lines.push(line),
      pause: async (ms: number) => {
        this.pauses.push(ms);
        this.time += ms;
        // Lets the test go on between two attempts.
        await new Promise(setImmediate);
      },
      random: () => 1,
      now: () => this.time,
    };
    return Supervised.start(options, new AbortController().signal);
  }
}

test('a part that ends is launched again, and both are logged', async () => {
  const workshop = new Workshop();
  const supervised = await workshop.start();
  workshop.end();
  await until('the second launch', () => workshop.launches === 2);
  expect(workshop.lines).toEqual([
    'The part ended (SIGKILL); starting it again',
    'The part runs again',
  ]);
  await supervised.stop();
});

test('pauses grow while it keeps failing, up to five seconds', async () => {
  const workshop = new Workshop();
  const supervised = await workshop.start();
  workshop.failing = true;
  workshop.end('exit code 1');
  await until('several attempts', () => workshop.pauses.length >= 7);
  workshop.failing = false;
  await supervised.stop();
  expect(workshop.pauses.slice(0, 7)).toEqual([400, 800, 1600, 3200, 5000, 5000, 5000]);
});

test('after a steady run the pauses begin anew', async () => {
  const workshop = new Workshop();
  const supervised = await workshop.start();
  workshop.end();
  await until('the second run', () => workshop.launches === 2);
  workshop.time += 10_001;
  workshop.end();
  await until('the third run', () => workshop.launches === 3);
  expect(workshop.pauses).toEqual([400, 200]);
  await supervised.stop();
});

test('a part that is stopped stays stopped', async () => {
  const workshop = new Workshop();
  const supervised = await workshop.start();
  await supervised.stop();
  await new Promise(setImmediate);
  expect(workshop).toMatchObject({ launches: 1, lines: [] });
});

test("the first failure is the caller's", async () => {
  const workshop = new Workshop();
  workshop.failing = true;
  await expect(workshop.start()).rejects.toThrow('no such port');
});
