/** A room of every class, and an event of each. */
import { expect } from 'vitest';
import { ROOM_ACCESS, type RoomClass } from '../../../worker/protocol/rooms.ts';
import { publishWithoutKafka } from './publish.ts';

export const CLASSES = Object.keys(ROOM_ACCESS) as RoomClass[];

/** A user, a custom room and a symbol of its own. */
export interface Names {
  readonly user: string;
  readonly custom: string;
  readonly symbol: string;
}

export const roomOf = (roomClass: RoomClass, { user, custom, symbol }: Names): string => {
  switch (roomClass) {
    case 'user':
      return `user:${user}`;
    case 'custom':
      return custom;
    case 'system':
    case 'price_updates':
      return roomClass;
    default:
      return `${roomClass}:${symbol}`;
  }
};

/** An event of every room, all with the same mark. */
export async function publishAll({ user, custom, symbol }: Names, mark: string): Promise<void> {
  const common = { timestamp: Date.now() };
  const data = { mark };
  const level = { level: 'info', title: 't', message: 'm' };
  const trade = { tradeId: mark, price: 1, amount: 1, side: 'buy' };
  const topics: [string, object[]][] = [
    ['price.updates', [{ type: 'price_update', symbol, data: { price: 1, mark } }]],
    [
      'order.book.updates',
      [{ type: 'order_book_update', symbol, data: { bids: [], asks: [], mark } }],
    ],
    ['trade.notifications', [{ type: 'trade_notification', symbol, data: { ...trade, mark } }]],
    ['system.alerts', [{ type: 'system_alert', data: { ...level, mark } }]],
    [
      'notifications',
      [
        { type: 'order_filled', target: { type: 'user', id: user }, data },
        { type: 'message_sent', target: { type: 'room', id: custom }, data },
      ],
    ],
  ];
  for (const [topic, events] of topics) {
    const values = events.map((event) => ({ ...event, ...common }));
    expect(await publishWithoutKafka(topic, values)).toMatchObject({ accepted: values.length });
  }
}
