/**
 * One reader of a room: a cursor, and the callbacks and the loop that it serves. What the user's code
 * throws ends here.
 */
import type { Cursor } from '../../../protocol/frames.ts';
import type { MaxRate } from '../../../protocol/messages.ts';
import type { ConnectionStatus } from '../../connection/connection-state.ts';
import type { LogFrame, ReceivedEvent } from '../../connection/wire.ts';
import { GatewayError, type OnError } from '../../errors.ts';
import { call } from '../handlers.ts';
import type { SubscribeOptions, Subscription, SubscriptionHandlers } from '../subscription.ts';
import { type Delivery, RoomCursor, type Standing } from './cursor.ts';
import { END, EventBuffer, type Received } from './event-buffer.ts';
import type { Reader } from './reader.ts';

/** What a reader needs of its room. */
export interface Feed {
  readonly room: string;
  readonly status: ConnectionStatus;
  readonly onError: OnError;
  remove(reader: Reader): void;
  /** Asks the room to go on from where its readers stand, if they need that. */
  ask(): void;
}

/** The options of a subscription, once its `since` has been read. */
type ReaderOptions<Event> = Omit<SubscribeOptions<Event>, 'since'> & {
  readonly since?: Cursor | undefined;
  /** Where all stand who hear the room over several sockets. Such a reader has no end. */
  readonly shared?: Standing;
};

/** What the handler of a kind takes. */
type Arguments<Event, Kind extends keyof SubscriptionHandlers<Event>> = Parameters<
  NonNullable<SubscriptionHandlers<Event>[Kind]>
>;

export class RoomReader<Event> implements Subscription<Event>, Reader {
  readonly room: string;
  place: RoomCursor;
  readonly #feed: Feed;
  readonly #options: ReaderOptions<Event>;
  #buffer: EventBuffer<Event> | undefined;
  #deliveredUpTo: Cursor | undefined;
  #hasReceived = false;
  #hasEnded = false;
  #failure: Error | undefined;

  constructor(feed: Feed, options: ReaderOptions<Event>) {
    const { since, signal, shared } = options;
    this.room = feed.room;
    this.#feed = feed;
    this.#options = options;
    this.place = shared ? new RoomCursor(shared) : placeAt(since);
    this.#deliveredUpTo = since;
    signal?.addEventListener('abort', this.unsubscribe);
  }

  get status(): ConnectionStatus {
    const { status } = this.#feed;
    return this.#hasEnded && status.state !== 'stopped'
      ? { ...status, state: 'stopped', code: 'closed', reason: 'unsubscribed' }
      : status;
  }

  get cursor(): Cursor | undefined {
    return this.#deliveredUpTo;
  }

  get duplicates(): number {
    return this.place.dropped;
  }

  get maxRate(): MaxRate | undefined {
    return this.#options.maxRate;
  }

  readonly unsubscribe = (): void => this.#end();

  /** Everything from now on; without handlers, from the beginning. Leaving it ends the reader. */
  [Symbol.asyncIterator](): AsyncIterator<Received<Event>, undefined> {
    const buffer = this.#buffer ?? this.#beginLoop();
    if (this.#hasEnded) buffer.end(this.#failure);
    let isLeft = false;
    return {
      next: async () => (isLeft ? END : buffer.next()),
      // A generator would be left only when the next event comes.
      return: async () => {
        isLeft = true;
        this.#end();
        return END;
      },
    };
  }

  receive(frame: LogFrame): void {
    const delivery = this.#hasEnded ? undefined : this.place.advance(frame);
    if (delivery) this.#deliver(delivery);
  }

  #beginLoop(): EventBuffer<Event> {
    const { onEvent, onSnapshot, since } = this.#options;
    const buffer = new EventBuffer<Event>();
    this.#buffer = buffer;
    // Nobody has been given what came until now, and the room still has it.
    if (this.#hasReceived && !onEvent && !onSnapshot) {
      this.place = placeAt(since);
      this.#feed.ask();
    }
    return buffer;
  }

  statusChanged(status: ConnectionStatus): void {
    this.#call('onStatus', status);
    const { state, code = '', reason = '' } = status;
    if (state !== 'stopped' || this.#options.shared) return;
    this.#end(code === 'closed' ? undefined : new GatewayError(code, reason, this.room));
  }

  /** Tells nothing more. A loop ends, by throwing `failure` if there is one. */
  #end(failure?: Error): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#failure = failure;
    this.#options.signal?.removeEventListener('abort', this.unsubscribe);
    this.#buffer?.end(failure);
    this.#feed.remove(this);
  }

  #deliver({ epoch, seq, gap, snapshot, events }: Delivery): void {
    this.#hasReceived = true;
    const { room } = this;
    if (gap) {
      this.#buffer?.missed(gap);
      this.#call('onGap', { room, ...gap });
      // Handlers may unsubscribe.
      if (this.#hasEnded) return;
    }
    // The gateway has checked the events that it took; their type is its word.
    const numbered = events as readonly (ReceivedEvent & { readonly event: Event })[];
    const isWhole = snapshot && this.#options.onSnapshot !== undefined;
    if (isWhole) {
      this.#deliveredUpTo = { epoch, seq };
      const state = numbered.map(({ event }) => event);
      this.#call('onSnapshot', state, { room, epoch, seq });
    }
    for (const { seq, event, times, characters } of numbered) {
      if (this.#hasEnded) return;
      const info = { room, epoch, seq, snapshot, times };
      // In a snapshot older events stand at its own place: what follows joins on to that.
      if (!snapshot) this.#deliveredUpTo = { epoch, seq };
      if (!isWhole) this.#call('onEvent', event, info);
      const overflow = this.#buffer?.push(event, info, characters);
      if (overflow) this.#call('onGap', { room, ...overflow });
    }
    this.#deliveredUpTo = { epoch, seq };
  }

  #call<Kind extends keyof SubscriptionHandlers<Event>>(
    kind: Kind,
    ...args: Arguments<Event, Kind>
  ): void {
    if (this.#hasEnded) return;
    // The compiler cannot see that the arguments are those of the handler of that kind.
    const handlers = this.#options as { [Kind in string]?: (...args: unknown[]) => unknown };
    void call(() => handlers[kind]?.(...args), this.#feed.onError);
  }
}

function placeAt(since: Cursor | undefined): RoomCursor {
  return new RoomCursor({ position: since, isConfirmed: false, isShared: false });
}
