/** The published types of events are those of the schemas. The compiler judges it, in `npm run check`. */
import type { InferOutput } from 'valibot';
import { describe, expectTypeOf, test } from 'vitest';
import type {
  EventsByType,
  EventType,
  Notification,
} from '../../worker/protocol/events/event-shapes.ts';
import type { EVENT_SCHEMAS, notificationSchema } from '../../worker/protocol/events/events.ts';

type Judged = { [Type in EventType]: InferOutput<(typeof EVENT_SCHEMAS)[Type]> };

/** The fields that are named, at any depth: an index signature would hide one that was forgotten. */
type Named<Value> = Value extends readonly (infer Item)[]
  ? number extends Value['length']
    ? Named<Item>[]
    : Value
  : Value extends object
    ? { [Name in keyof Value as string extends Name ? never : Name]: Named<Value[Name]> }
    : Value;

describe('the shapes of events', () => {
  test('are those of the schemas', () => {
    expectTypeOf<EventType>().toEqualTypeOf<keyof typeof EVENT_SCHEMAS>();
    expectTypeOf<EventsByType>().toExtend<Judged>();
    expectTypeOf<Judged>().toExtend<EventsByType>();
    expectTypeOf<Notification>().toExtend<InferOutput<typeof notificationSchema>>();
    expectTypeOf<InferOutput<typeof notificationSchema>>().toExtend<Notification>();
  });

  test('name the same fields as the schemas', () => {
    expectTypeOf<Named<EventsByType['price_update']>>().toEqualTypeOf<
      Named<Judged['price_update']>
    >();
    expectTypeOf<Named<EventsByType['order_book_update']>>().toEqualTypeOf<
      Named<Judged['order_book_update']>
    >();
    expectTypeOf<Named<EventsByType['trade_notification']>>().toEqualTypeOf<
      Named<Judged['trade_notification']>
    >();
    expectTypeOf<Named<EventsByType['portfolio_update']>>().toEqualTypeOf<
      Named<Judged['portfolio_update']>
    >();
    expectTypeOf<Named<EventsByType['system_alert']>>().toEqualTypeOf<
      Named<Judged['system_alert']>
    >();
    expectTypeOf<Named<Notification>>().toEqualTypeOf<
      Named<InferOutput<typeof notificationSchema>>
    >();
  });
});
