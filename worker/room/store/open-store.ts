/** Chooses a room's store by its policy. */
import type { Policy } from '../../policy.ts';
import type { Chunks } from './chunks.ts';
import { DurableStore } from './durable-store.ts';
import { MemoryStore } from './memory-store.ts';
import type { Store } from './store.ts';

/** Where a store keeps its log, and what wakes it. */
export interface Storage {
  readonly chunks: Chunks;
  /** Has the alarm of the object go off, Unix ms. */
  readonly setAlarm: (at: number) => void;
}

/** @param memberEpoch the epoch that hibernating members of a room without a table were told. */
export function openStore(
  policy: Policy,
  { chunks, setAlarm }: Storage,
  memberEpoch: number | undefined,
  now: number,
): Store {
  return policy.log === 'durable'
    ? new DurableStore(policy, chunks, setAlarm, memberEpoch, now)
    : new MemoryStore(policy, chunks, memberEpoch, now);
}
