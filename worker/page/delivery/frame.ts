/**
 * A frame of the gateway, as far as the delivery panel looks at it. The client checks frames; here
 * whatever is no frame is passed over.
 */

/**
 * Unix ms: when Kafka had the event, the bridge made its batch, the Worker received that, and the room
 * appended the event; null where it is not known.
 */
export type Times = readonly (number | null)[];

export interface Entry {
  readonly seq: number;
  readonly event: { readonly timestamp: number };
  /** Left out where nothing is known. */
  readonly times?: Times;
}

export type Frame =
  | {
      readonly type: 'subscribed';
      readonly room: string;
      readonly epoch: number;
      readonly seq: number;
      readonly recovered: boolean;
    }
  | {
      readonly type: 'snapshot';
      readonly room: string;
      readonly epoch: number;
      readonly seq: number;
      readonly more?: boolean;
      readonly events: readonly Entry[];
    }
  | {
      readonly type: 'events';
      readonly room: string;
      readonly after: number;
      readonly events: readonly Entry[];
    }
  | {
      readonly type: 'gap';
      readonly room: string;
      readonly epoch: number;
      readonly from: number;
      readonly to: number;
      readonly reason: string;
    }
  | { readonly type: 'welcome' | 'error' | 'shutdown' | 'unsubscribed' };

/** The frames of a message: over a relay they come in an array. */
export function framesIn(message: unknown): readonly Frame[] {
  return [message].flat().filter((value): value is Frame => Object(value) === value);
}
