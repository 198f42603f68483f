/**
 * Exactly once for publishers without Kafka: the ids of their batches. Each is kept for as long as a
 * replay of its batch would still be within the signature's tolerance of time.
 */

/** [id, Unix ms after which a replay is stale], as saved. */
export type SavedWebhookId = readonly [string, number];

/** How many ids are kept: three a second, for the five minutes of the tolerance. */
export const MAX_WEBHOOK_IDS = 1_000;

export class WebhookIds {
  readonly #staleAt: Map<string, number>;

  constructor(saved: readonly SavedWebhookId[] = []) {
    this.#staleAt = new Map(saved);
  }

  /**
   * Takes note of a batch's id. `prolonged`: the id is known, but this attempt was signed later, so
   * that a replay of it stays fresh for longer. `full`: as many ids as may be kept are fresh.
   */
  note(id: string, staleAt: number, now: number): 'new' | 'known' | 'prolonged' | 'full' {
    const known = this.#staleAt.get(id);
    if (known !== undefined) {
      if (staleAt <= known) return 'known';
      this.#staleAt.set(id, staleAt);
      return 'prolonged';
    }
    if (this.#staleAt.size >= MAX_WEBHOOK_IDS) this.#forgetStale(now);
    if (this.#staleAt.size >= MAX_WEBHOOK_IDS) return 'full';
    this.#staleAt.set(id, staleAt);
    return 'new';
  }

  save(now: number): SavedWebhookId[] {
    this.#forgetStale(now);
    return [...this.#staleAt];
  }

  #forgetStale(now: number): void {
    for (const [id, staleAt] of this.#staleAt) if (staleAt < now) this.#staleAt.delete(id);
  }
}
