/**
 * Keeps market time in step with the clock. After a stall (Kafka was down, the machine slept) the market
 * does not catch up: what was missed has not happened.
 */
import { type Pause, pause } from '../../shared/backoff.ts';
import { STEP_MS } from './feed.ts';

/** A longer delay than this is a stall. */
const MAX_LATE_MS = 250;
/** At a high speed several steps share a pause: timers are no more precise. */
const MIN_PAUSE_MS = 5;

export interface RunOptions {
  /** How many times faster than the clock. */
  readonly speed: number;
  /** A step of the market; what becomes of its events is not awaited. */
  readonly step: () => void;
  readonly hasRoom: () => boolean;
  /** Resolves once there is space. */
  readonly room: () => Promise<void>;
  /** A clock that never goes back, in ms. */
  readonly now?: () => number;
  readonly pause?: Pause;
}

/** Runs until `signal` aborts. */
export async function runFeed(options: RunOptions, signal: AbortSignal): Promise<void> {
  const {
    speed,
    step,
    hasRoom,
    room,
    now = () => performance.now(),
    pause: wait = pause,
  } = options;
  /** Market time that has come and not happened yet. */
  let dueMs = STEP_MS;
  let last = now();
  while (!signal.aborted) {
    for (; dueMs >= STEP_MS && hasRoom(); dueMs -= STEP_MS) step();
    // Without space the rest of it is dropped.
    dueMs = Math.min(dueMs, STEP_MS);
    await wait(Math.max(MIN_PAUSE_MS, (STEP_MS - dueMs) / speed), signal);
    await room();
    const time = now();
    dueMs += Math.min(time - last, MAX_LATE_MS) * speed;
    last = time;
  }
}
