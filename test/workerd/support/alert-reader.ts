/**
 * What one client knows of room `system`: the alerts that it was given, and its place to come back to.
 * It is given every frame of its sockets, and notes what no client should ever see.
 */
import type { Cursor, NumberedEvent, RoomFrame } from '../../../worker/protocol/frames.ts';

const SYSTEM = 'system';

export class AlertReader {
  /** How often each alert was given, by its id. */
  readonly alerts = new Map<string, number>();
  readonly faults: string[] = [];
  /** How often it has become a member of `system`, and how often it then had a place already. */
  joined = 0;
  recovered = 0;
  readonly #room: string;
  #cursor: Cursor | undefined;
  /** The parts of a snapshot whose last part has yet to come. */
  #parts: NumberedEvent[] = [];

  /** @param room where its sockets are held. */
  constructor(room: string) {
    this.#room = room;
  }

  /** What follows `/v1/rooms/` in the address at which it joins, or comes back. */
  get address(): string {
    if (this.#cursor === undefined) return this.#room;
    const { epoch, seq } = this.#cursor;
    return `${this.#room}?${this.#room === SYSTEM ? 'since' : SYSTEM}=${epoch}:${seq}`;
  }

  take(text: string): void {
    const frame: RoomFrame = JSON.parse(text);
    if (!('room' in frame) || frame.room !== SYSTEM) {
      if (frame.type === 'error') this.#fault(text);
      return;
    }
    switch (frame.type) {
      case 'subscribed':
        this.joined++;
        this.#parts = [];
        if (frame.recovered) this.recovered++;
        if (frame.recovered !== (this.#cursor?.epoch === frame.epoch)) this.#fault(text);
        return;
      case 'snapshot':
        this.#parts.push(...frame.events);
        if (frame.more) return;
        this.#count(this.#parts);
        this.#cursor = { epoch: frame.epoch, seq: frame.seq };
        return;
      case 'events':
        if (frame.after !== this.#cursor?.seq) this.#fault(text);
        this.#count(frame.events);
        if (this.#cursor !== undefined) this.#cursor.seq = frame.events.at(-1)?.seq ?? 0;
        return;
      default:
        this.#fault(text);
    }
  }

  #count(events: readonly NumberedEvent[]): void {
    for (const { event } of events) {
      const { alertId } = event.data as { alertId: string };
      this.alerts.set(alertId, (this.alerts.get(alertId) ?? 0) + 1);
    }
  }

  #fault(text: string): void {
    const { epoch, seq } = this.#cursor ?? {};
    this.faults.push(`at ${epoch}:${seq} of ${this.#room}: ${text}`);
  }
}
