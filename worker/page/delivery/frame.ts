/**
 * A frame of the gateway, as far as the delivery panel looks at it. The client checks frames; here
 * whatever is no frame is passed over.
 */

/** Unix ms: when Kafka had the event, the bridge sent it, the Worker received it, the room appended it. */
export type Times = readonly [kafka: number, bridge: number, worker: number, room: number];

export interface Entry {
  readonly seq: number;
  readonly event: { readonly timestamp: number };
  /** Left out by rooms that do not know them. */
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
