/** What only the root of a room has: the store of its log, and the intake of what is published to it. */
import type { Policy } from '../policy.ts';
import { type BatchOutcome, Intake } from './intake/intake.ts';
import type { RoomBatch } from './intake/room-batch.ts';
import type { Log } from './log/log.ts';
import { openStore, type Storage } from './store/open-store.ts';
import { isUntouched } from './store/state.ts';
import type { Store } from './store/store.ts';

export class Root {
  readonly store: Store;
  readonly #intake: Intake;

  /** @param memberEpoch the epoch that hibernating members of a room without a table were told. */
  constructor(policy: Policy, storage: Storage, memberEpoch: number | undefined, now: number) {
    this.store = openStore(policy, storage, memberEpoch, now);
    const { log, positions, webhookIds } = this.store.state;
    this.#intake = new Intake(log, positions, webhookIds);
  }

  get log(): Log {
    return this.store.state.log;
  }

  /** Appends what is new of a batch, and saves it or plans to. */
  append(batch: RoomBatch, now: number): BatchOutcome {
    const outcome = this.#intake.append(batch, now);
    if (outcome.changed) this.store.appended(now);
    return outcome;
  }

  /** Whether nothing was ever published to the room that would have to be known again. */
  isUntouched(now: number): boolean {
    return isUntouched(this.store.state, now);
  }
}
