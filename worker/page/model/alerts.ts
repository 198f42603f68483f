/** The alerts to everyone that are still to be shown, the newest first. */
import type { SystemAlert } from '../../client/index.ts';

const MOST_ALERTS = 10;
/** One that does not say when it ends lives a day, as it does in its room. */
const LIFETIME_MS = 86_400_000;

export interface Alert {
  readonly data: SystemAlert['data'];
  readonly timestamp: number;
  /** Unix ms. */
  readonly expiresAt: number;
}

export class Alerts {
  #alerts: Alert[] = [];
  readonly #awaited = new Map<string, () => void>();
  changes = 0;

  get all(): readonly Alert[] {
    return this.#alerts;
  }

  add({ data, timestamp }: SystemAlert, now: number): void {
    const expiresAt = data.expiresAt ?? timestamp + LIFETIME_MS;
    const id = data.alertId ?? undefined;
    // Some alerts are given again after a gap.
    if (expiresAt <= now || (id !== undefined && this.#has(id))) return;
    this.#alerts.unshift({ data, timestamp, expiresAt });
    this.#alerts.length = Math.min(this.#alerts.length, MOST_ALERTS);
    this.changes++;
    if (id !== undefined) this.#awaited.get(id)?.();
  }

  /** Resolves when the alert has come. */
  async arrival(id: string): Promise<void> {
    if (this.#has(id)) return;
    await new Promise<void>((resolve) => this.#awaited.set(id, resolve));
    this.#awaited.delete(id);
  }

  dismiss(alert: Alert): void {
    this.#keep((other) => other !== alert);
  }

  expire(now: number): void {
    if (this.#alerts.some(({ expiresAt }) => expiresAt <= now)) {
      this.#keep(({ expiresAt }) => expiresAt > now);
    }
  }

  #has(id: string): boolean {
    return this.#alerts.some(({ data }) => data.alertId === id);
  }

  #keep(isKept: (alert: Alert) => boolean): void {
    this.#alerts = this.#alerts.filter(isKept);
    this.changes++;
  }
}
