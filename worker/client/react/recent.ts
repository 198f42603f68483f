/** What a component keeps of a room, whatever the rate and however long nobody looks. */
import type { EventInfo, Received } from '../index.ts';

/** More than the largest state of a room has. */
const MAX_SYMBOLS = 5_000;

export class Recent<Event> {
  #events: Received<Event>[] = [];
  readonly #bySymbol = new Map<string, Event>();

  /** Keeps up to twice as many, so that few are moved for each. */
  add(event: Event, info: EventInfo, keep: number): void {
    this.#events.push({ ...info, event });
    if (this.#events.length > 2 * keep) this.#trim(keep);
    const symbol: unknown = Object(event).symbol;
    if (typeof symbol === 'string') this.#addSymbol(symbol, event);
  }

  clear(): void {
    this.#events = [];
    this.#bySymbol.clear();
  }

  /** A copy, the oldest event first. */
  events(keep: number): readonly Received<Event>[] {
    this.#trim(keep);
    return [...this.#events];
  }

  bySymbol(): ReadonlyMap<string, Event> {
    return new Map(this.#bySymbol);
  }

  #trim(keep: number): void {
    this.#events.splice(0, Math.max(0, this.#events.length - keep));
  }

  #addSymbol(symbol: string, event: Event): void {
    this.#bySymbol.set(symbol, event);
    const { value: first } = this.#bySymbol.keys().next();
    if (first !== undefined && this.#bySymbol.size > MAX_SYMBOLS) this.#bySymbol.delete(first);
  }
}
