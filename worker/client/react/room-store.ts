/**
 * A room as one component sees it: subscribed to while the component is mounted, kept in bounds as events
 * come, and shown as an immutable state once a frame.
 *
 * - React mounts twice under StrictMode, and moves from one store to the next when a component's room
 *   changes. So a store that nobody listens to any more leaves its room only when the present turn has
 *   ended: a room that is wanted again by then was never left.
 * - A component that is hidden and shown again (`Activity`) goes on from its cursor: what it missed
 *   meanwhile follows, or is reported as a gap.
 * - After a gap the events before it are no longer the recent ones, so the list begins anew with the
 *   state that follows.
 */
import type {
  ConnectionStatus,
  Cursor,
  EventInfo,
  Gap,
  GatewayClient,
  GatewayError,
  MaxRate,
  Received,
  Since,
  Subscription,
} from '../index.ts';
import type { Frames } from './frames.ts';
import { Recent } from './recent.ts';

/** What a component sees of a room. */
export interface RoomState<Event> {
  /** How the room is doing. One that has refused for good is `stopped`; `code` says why. */
  readonly status: ConnectionStatus;
  /** The most recent events, the oldest first; `epoch` and `seq` together make a key. */
  readonly events: readonly Received<Event>[];
  /** The last of them. */
  readonly latest: Event | undefined;
  /** The latest event of each symbol, for a room of many: `price_updates`. */
  readonly bySymbol: ReadonlyMap<string, Event>;
  /** The last gap: what cannot be had any more. */
  readonly gap: Gap | undefined;
  /** How many gaps there were. */
  readonly gaps: number;
  /** Everything up to it is in here. Keep it and give it as `since` to go on from there. */
  readonly cursor: Cursor | undefined;
}

const IDLE_STATE: RoomState<never> = {
  status: { state: 'idle', online: true, failures: 0 },
  events: [],
  latest: undefined,
  bySymbol: new Map<string, never>(),
  gap: undefined,
  gaps: 0,
  cursor: undefined,
};

/** What a component wants at present. It may change with each render. */
export interface Wishes<Event> {
  /** How many events are kept. */
  readonly keep: number;
  readonly maxRate?: MaxRate | undefined;
  /** Where to begin when the room is joined. */
  readonly since?: Since | undefined;
  onEvent?(event: Event, info: EventInfo): unknown;
  onGap?(gap: Gap & { readonly room: string }): unknown;
}

export interface RoomStoreOptions {
  readonly client: GatewayClient;
  readonly frames: Frames;
  /** Undefined for none: the store stays idle. */
  readonly room: string | undefined;
}

export class RoomStore<Event> {
  readonly #options: RoomStoreOptions;
  readonly #listeners = new Set<() => void>();
  readonly #recent = new Recent<Event>();
  #wishes: Wishes<Event> = { keep: 1 };
  #subscription: Subscription<Event> | undefined;
  #state: RoomState<Event> = IDLE_STATE;
  #gap: Gap | undefined;
  #gaps = 0;
  /** Up to where a subscription that has ended has delivered. */
  #cursor: Cursor | undefined;

  constructor(options: RoomStoreOptions) {
    this.#options = options;
  }

  readonly state = (): RoomState<Event> => this.#state;

  /** What a server renders, and what a page that it has rendered begins with. */
  readonly serverState = (): RoomState<Event> => IDLE_STATE;

  /** For another rate the room is joined once more, from where this component stands, and then left once. */
  wish(wishes: Wishes<Event>): void {
    const { keep, maxRate } = this.#wishes;
    this.#wishes = wishes;
    const before = this.#subscription;
    if (!before) return;
    if (wishes.keep !== keep) this.#changed();
    if (wishes.maxRate === maxRate) return;
    this.#join(before.cursor);
    before.unsubscribe();
  }

  readonly listen = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (!this.#subscription) this.#join(this.#cursor);
    return () => {
      this.#listeners.delete(listener);
      queueMicrotask(this.#leaveIfUnheard);
    };
  };

  #join(cursor: Cursor | undefined): void {
    const { client, room } = this.#options;
    if (room === undefined) return;
    const { maxRate, since } = this.#wishes;
    try {
      this.#subscription = client.subscribe<string, Event>(room, {
        maxRate,
        since: cursor ?? since,
        onEvent: this.#take,
        onGap: this.#miss,
        onStatus: this.#changed,
      });
      this.#changed();
    } catch (error) {
      this.#refuse(error);
    }
  }

  readonly #leaveIfUnheard = (): void => {
    const subscription = this.#subscription;
    if (this.#listeners.size > 0 || !subscription) return;
    this.#cursor = subscription.cursor;
    this.#subscription = undefined;
    subscription.unsubscribe();
  };

  readonly #take = (event: Event, info: EventInfo): unknown => {
    this.#recent.add(event, info, this.#wishes.keep);
    this.#changed();
    return this.#wishes.onEvent?.(event, info);
  };

  readonly #miss = (gap: Gap & { readonly room: string }): unknown => {
    this.#gap = gap;
    this.#gaps++;
    this.#recent.clear();
    this.#changed();
    return this.#wishes.onGap?.(gap);
  };

  readonly #changed = (): void => this.#options.frames.request(this.#refresh);

  readonly #refresh = (): void => {
    const subscription = this.#subscription;
    if (!subscription) return;
    const { status, cursor } = subscription;
    const events = this.#recent.events(this.#wishes.keep);
    this.#become({
      status,
      events,
      latest: events.at(-1)?.event,
      bySymbol: this.#recent.bySymbol(),
      gap: this.#gap,
      gaps: this.#gaps,
      cursor,
    });
  };

  /** What `subscribe` throws is reported as a refusal by the room is. */
  #refuse(error: unknown): void {
    const { code, message: reason } = error as GatewayError;
    if (!code) throw error;
    this.#become({
      ...this.#state,
      status: { ...IDLE_STATE.status, state: 'stopped', code, reason },
    });
  }

  #become(state: RoomState<Event>): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
