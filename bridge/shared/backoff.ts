/**
 * Exponential backoff with full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter), and a pause that a
 * stop cuts short.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface BackoffBounds {
  readonly baseMs: number;
  readonly capMs: number;
}

/** A Worker that restarts is back in about a second. After a long outage, ten seconds more do not matter. */
export const DELIVERY_BACKOFF: BackoffBounds = { baseMs: 100, capMs: 10_000 };
/** An attempt on Kafka costs several connections, and kafkajs has retried by itself before. */
export const KAFKA_BACKOFF: BackoffBounds = { baseMs: 250, capMs: 5_000 };

/** How long to wait before attempt `failures + 1`, at least `floorMs`. */
export function backoffMs(
  failures: number,
  { baseMs, capMs }: BackoffBounds,
  random: () => number = Math.random,
  floorMs = 0,
): number {
  // The jitter is added to the floor, because all bridges get the same Retry-After.
  return floorMs + random() * Math.min(capMs, baseMs * 2 ** Math.min(failures, 30));
}

/** Resolves after `ms`, or at once when `signal` aborts; it never rejects. */
export type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

export const pause: Pause = async (ms, signal) => {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
};
