/**
 * `system` as a client hears it: over every connection, whatever room that is of, and with one cursor
 * for all of them. An alert that comes over each connection is told once, by the first that brings it,
 * and a connection that comes back goes on from what any of them has brought.
 */
import type { Cursor } from '../../protocol/frames.ts';
import type { MaxRate } from '../../protocol/messages.ts';
import { type LogFrame, systemRoom } from '../connection/wire.ts';
import type { OnError } from '../errors.ts';
import type { EventInfo, GatewayEvent } from '../events.ts';
import { type Delivery, RoomCursor, type Standing } from './cursor.ts';
import type { Reader } from './reader.ts';

export class SystemFeed {
  readonly #standing: Standing = {
    position: undefined,
    isConfirmed: false,
    isShared: true,
  };
  readonly #onEvent: (event: GatewayEvent, info: EventInfo) => void;
  readonly #onError: OnError;

  constructor(onEvent: (event: GatewayEvent, info: EventInfo) => void, onError: OnError) {
    this.#onEvent = onEvent;
    this.#onError = onError;
  }

  /** Goes on from `since`, unless it has begun. */
  begin(since: Cursor | undefined): void {
    this.#standing.position ??= since;
  }

  /** Hears `system` over one more connection. */
  reader(maxRate?: MaxRate): Reader {
    const place = new RoomCursor(this.#standing);
    return {
      maxRate,
      place,
      receive: (frame: LogFrame) => {
        const delivery = place.advance(frame);
        if (delivery) this.#deliver(delivery);
      },
      showStatus: () => {},
    };
  }

  #deliver({ epoch, gap, snapshot, events }: Delivery): void {
    if (gap) {
      const { from, to, reason } = gap;
      this.#onError('system_gap', gap, `missing ${from} to ${to}: ${reason}`);
    }
    for (const { seq, event } of events) {
      // The gateway has checked the events that it took; their type is its word.
      const checked = event as unknown as GatewayEvent;
      this.#onEvent(checked, { room: systemRoom, epoch, seq, snapshot });
    }
  }
}
