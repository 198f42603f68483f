/** Where a subscription goes on from, as its caller has kept it, and as an address names it. */
import type { Cursor } from '../../protocol/frames.ts';
import { GatewayError } from '../errors.ts';

/** A whole number as databases and JSON give it. */
type Whole = number | bigint | string;
interface Place {
  readonly epoch: Whole;
  readonly seq: Whole;
}

/** A cursor as it was kept: as an object, or as the text `epoch:seq`. Null is none. */
export type Since = Place | string | null;

/** @throws {GatewayError} `cursor_invalid` when `since` is no cursor. */
export function cursorOf(since: Since | undefined, room: string): Cursor | undefined {
  // A column that was never written comes as null.
  if (since === undefined || since === null) return undefined;
  try {
    const text = typeof since === 'string' ? since : textOf(since);
    const [, epoch, seq] = /^(\d{1,15}):(\d{1,15})$/.exec(text) ?? [];
    if (epoch && seq) return { epoch: Number(epoch), seq: Number(seq) };
  } catch {
    // Some values cannot be made a text.
  }
  throw new GatewayError('cursor_invalid', 'not a cursor', room);
}

/** Databases give numbers as objects of their own, too. */
export function textOf(place: Place): string;
export function textOf(place: Place | undefined): string | undefined;
export function textOf(place: Place | undefined): string | undefined {
  return place && `${place.epoch}:${place.seq}`;
}
