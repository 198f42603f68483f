/**
 * The page's one connection, and the way from its events to the models. Nothing is drawn here: a model
 * only counts that it has changed.
 */
import {
  type EventInfo,
  type EventOfRoom,
  GatewayClient,
  type Subscription,
} from '../../client/index.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { Market } from '../model/market.ts';
import type { Demo } from './demo.ts';
import { tradesBefore } from './history.ts';
import type { Network } from './network.ts';

/** What a slowed client asks for, in frames a second. */
const SLOW_RATE = 1;

interface GatewayOptions {
  readonly origin: string;
  readonly network: Network;
  readonly demo: Demo;
  readonly renewDemo: () => Promise<Demo>;
  readonly market: Market;
  readonly delivery: Delivery;
  /** Is told when what has come has been put into the models. */
  readonly changed: () => void;
}

export class Gateway {
  readonly #client: GatewayClient;
  readonly #market: Market;
  readonly #delivery: Delivery;
  /** By room, each with what subscribes to it anew. */
  readonly #rooms = new Map<string, { subscription: Subscription<unknown>; again: () => void }>();
  #isSlow = false;
  /** Aborted when another pair is chosen. */
  #choice = new AbortController();

  constructor({ origin, network, demo, renewDemo, market, delivery, changed }: GatewayOptions) {
    this.#market = market;
    this.#delivery = delivery;
    let first: Demo | undefined = demo;
    this.#client = new GatewayClient({
      // With `trace`, each event says when it was where.
      url: `${origin}/?trace=on`,
      token: async () => {
        const { token = '' } = first ?? (await renewDemo());
        first = undefined;
        return token;
      },
      parse: (text) => {
        // The events of a message are told in the turn in which it is parsed.
        queueMicrotask(changed);
        return delivery.receive(text);
      },
      WebSocket: network.WebSocket,
      fetch: network.fetch,
      window: network,
    });
    this.#client.on('status', (status, room) => delivery.showStatus(status, room));
    this.#client.on('system_alert', (event, { room }) => {
      if (room === 'system') market.alerts.add(event, Date.now());
    });
    this.#join('price_updates', (event) => {
      market.overtaken.came(`pairs ${event.symbol}`);
      market.pairs.update(event);
    });
    const { user } = demo;
    if (user !== undefined) {
      this.#join(`user:${user}`, (event, { seq }) => market.account.add(event, seq));
    }
  }

  get isSlow(): boolean {
    return this.#isSlow;
  }

  /** Shows another pair: its price, book and trades. */
  choose(symbol: string): void {
    this.#choice.abort();
    this.#choice = new AbortController();
    const { signal } = this.#choice;
    for (const room of [...this.#rooms.keys()]) if (room.includes(':')) this.#leavePair(room);
    const market = this.#market;
    market.choose(symbol);
    this.#join(`price:${symbol}` as const, (event) => {
      market.overtaken.came('quote');
      market.quote.update(event);
    });
    this.#join(`orderbook:${symbol}` as const, (event) => {
      market.overtaken.came('book');
      market.book.update(event);
    });
    const trades = `trade:${symbol}` as const;
    let isFirst = true;
    this.#join(trades, (event, { epoch, seq }) => {
      market.tape.add(event, seq);
      market.candles.add(event, seq);
      if (!isFirst) return;
      isFirst = false;
      void tradesBefore(trades, epoch, seq, signal).then((past) => {
        if (signal.aborted) return;
        for (const { event, seq } of past) market.candles.add(event, seq);
      });
    });
  }

  /** Asks for one frame a second in each room, or for all of them again. */
  slow(isSlow: boolean): void {
    this.#isSlow = isSlow;
    for (const { again } of [...this.#rooms.values()]) again();
  }

  #join<Room extends string>(
    room: Room,
    onEvent: (event: EventOfRoom<Room>, info: EventInfo) => void,
  ): void {
    const subscribe = () => {
      const before = this.#rooms.get(room)?.subscription;
      // To leave a room and to join it in the same turn costs one message.
      before?.unsubscribe();
      const subscription = this.#client.subscribe(room, {
        onEvent,
        since: before?.cursor,
        maxRate: this.#isSlow ? SLOW_RATE : undefined,
      });
      this.#rooms.set(room, { subscription, again: subscribe });
    };
    this.#delivery.rooms.expect(room);
    subscribe();
  }

  #leavePair(room: string): void {
    if (room.startsWith('user:')) return;
    this.#rooms.get(room)?.subscription.unsubscribe();
    this.#rooms.delete(room);
    this.#delivery.rooms.forget(room);
  }
}
