/**
 * A frame of the gateway, as far as the delivery panel looks at it. The client checks frames; here
 * whatever is no frame is passed over.
 */
import type { Events, Gap, Snapshot, Subscribed, Times } from '../../protocol/frames.ts';

export interface Entry {
  readonly seq: number;
  readonly event: { readonly timestamp: number };
  /** Left out where nothing is known. */
  readonly times?: Times;
}

type WithEntries<Of> = Omit<Of, 'events'> & { readonly events: readonly Entry[] };

export type Frame =
  | Subscribed
  | WithEntries<Snapshot>
  | WithEntries<Events>
  | Gap
  | { readonly type: 'welcome' | 'error' | 'shutdown' | 'unsubscribed' };

/** The frames of a message: over a relay they come in an array. */
export function framesIn(message: unknown): readonly Frame[] {
  return [message].flat().filter((value): value is Frame => Object(value) === value);
}
