import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { quietenKafkajs } from '../../bridge/kafka/kafkajs/timers.ts';

const require = createRequire(import.meta.url);
const RequestQueue = require('kafkajs/src/network/requestQueue');

/** The delays of the timers that an idle queue of requests sets within 100 ms. */
function delaysOfIdleQueue(): unknown[] {
  const setTimeout = vi.spyOn(globalThis, 'setTimeout');
  const queue = new RequestQueue({ maxInFlightRequests: 1, clientId: 'test', broker: 'none' });
  queue.checkPendingRequests();
  vi.advanceTimersByTime(100);
  return setTimeout.mock.calls.map(([, delay]) => delay);
}

describe('an idle queue of requests', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  test('is polled all the time with negative timeouts, so the repair is still needed', () => {
    const delays = delaysOfIdleQueue();
    expect(delays.length).toBeGreaterThan(50);
    expect(Number(delays[0])).toBeLessThan(0);
  });

  test('sets no timer once kafkajs is repaired', () => {
    quietenKafkajs();
    expect(delaysOfIdleQueue()).toEqual([]);
  });
});
