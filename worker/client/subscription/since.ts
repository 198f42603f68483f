/** Where a subscription goes on from, as its caller has kept it. */
import type { Cursor } from '../../protocol/frames.ts';
import { GatewayError } from '../errors.ts';

/** A whole number as databases and JSON give it. */
type Whole = number | bigint | string;

/** A cursor as it was kept: as an object, or as the text `epoch:seq`. Null is none. */
export type Since = { readonly epoch: Whole; readonly seq: Whole } | string | null;

/** @throws {GatewayError} `cursor_invalid` when `since` is no cursor. */
export function cursorOf(since: Since | undefined, room: string): Cursor | undefined {
  // A column that was never written comes as null.
  if (since === undefined || since === null) return undefined;
  const text = typeof since === 'string' ? since : [since.epoch, since.seq].map(textOf).join(':');
  const [, epoch, seq] = /^(\d{1,15}):(\d{1,15})$/.exec(text) ?? [];
  if (!epoch || !seq) {
    throw new GatewayError('cursor_invalid', 'not a cursor', room);
  }
  return { epoch: Number(epoch), seq: Number(seq) };
}

/** Databases give numbers as objects of their own, too; not every value can be made a text. */
function textOf(value: unknown): string {
  try {
    return Array.isArray(value) ? '' : `${value}`;
  } catch {
    return '';
  }
}
