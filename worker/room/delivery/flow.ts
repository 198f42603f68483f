/**
 * Flow control: whether a member can take another frame. `send` never pushes back and queues without
 * bound, so a member that does not keep up has to be found out before it is sent to.
 *
 * One that acks has a window of characters that may be on their way to it. Of any other, what waits
 * in our own memory is looked at, where the runtime tells. That counts also what was sent in this
 * turn and what the output gate holds until SQLite has written, so a full buffer alone is no sign of
 * slowness: it is looked at before anything is sent in a turn, again soon, and only who stays full
 * for a while is slow.
 */
import type { Member } from './member.ts';

/**
 * What may wait in our memory for one socket before it is sent another frame, in bytes: 2,000 that
 * stall at it are half of an object's memory.
 */
export const MAX_BUFFERED_BYTES = 32 * 1024;
/** What one flush may add to that, in bytes, however much was pending. */
export const MAX_BURST_BYTES = 1024 * 1024;
/** How long a member without acks may take nothing before it is closed, in ms. */
export const STALL_LIMIT = 30_000;
/** How often such a member is looked at, in ms: nothing tells when its buffer drains. */
export const STALL_POLL = 50;
/** How soon it is looked at first: most often it was only the output gate. */
export const FIRST_LOOK = 10;
/** Who takes nothing for so long, in ms, is slow, and may be shown less. */
export const SLOW_AFTER = 250;

export function canTake(member: Member): boolean {
  return !awaitsAck(member) && !hasFullBuffer(member);
}

/** Whether only an ack can make it take more, so that nobody needs to look meanwhile. */
export function awaitsAck(member: Member): boolean {
  return member.acks && member.inFlight.isFull;
}

/** Whether a member, in the middle of a flush, can take another frame of it. */
export function canTakeMore(member: Member): boolean {
  return !awaitsAck(member) && canTakeAnswer(member);
}

/** Whether a member can take what it asked for, other than events. */
export function canTakeAnswer({ socket: { bufferedAmount = 0 } }: Member): boolean {
  return bufferedAmount < MAX_BURST_BYTES;
}

export function hasFullBuffer({ socket: { bufferedAmount = 0 } }: Member): boolean {
  return bufferedAmount >= MAX_BUFFERED_BYTES;
}
