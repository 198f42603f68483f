/**
 * What objects say to each other: a follower asks its upstream for a room, and the upstream pushes
 * what is new of it. Both calls only answer: what they cause is done in a later turn, by the object
 * that answers, so that no two objects ever call each other back and forth.
 */
import type { Cursor } from '../../../protocol/frames.ts';

/** A follower asks to be pushed a room, and to be given all of it that is kept. */
export interface FollowCall {
  readonly room: string;
  /** The name of the object that asks. */
  readonly follower: string;
  /**
   * Numbers what the follower has asked for, of whichever upstream. Each call has a greater one, so an
   * upstream knows which of two calls is newer, and a follower which pushes it has asked for.
   */
  readonly generation: number;
  /** How many calls, this one included, led to the turn that obeys it. */
  readonly depth: number;
}

export type FollowAnswer =
  /**
   * The follower will be pushed what comes after `log`. Without a log, it will be pushed the whole log: it
   * is large, or the upstream is itself a branch that has yet to be filled.
   */
  | { readonly kind: 'followed'; readonly log: CarriedLog | undefined }
  /** A call that is not older was here before, of this generation. */
  | { readonly kind: 'outdated'; readonly generation: number }
  /** It has as many followers as it may. */
  | { readonly kind: 'full' };

/** A log as one object gives it to another: all that it keeps, at one moment. */
export interface CarriedLog {
  readonly epoch: number;
  readonly head: number;
  readonly floor: number;
  readonly trimmed: number;
  readonly conflatableFrom: number;
  readonly isUnbroken: boolean;
  /** Entries in the order of their numbers, as `encodeTimedEntries` writes them, in bounded parts. */
  readonly parts: readonly string[];
}

/** An upstream gives a follower what comes after its cursor, or the whole log. */
export interface PushCall {
  readonly room: string;
  /** The name of the object that pushes. */
  readonly upstream: string;
  /** The generation of the follower's call that is obeyed. */
  readonly generation: number;
  /** As in `FollowCall`. */
  readonly depth: number;
  readonly content: PushedEntries | PushedLog;
}

/** Everything of `(after, last entry]` that has not expired. */
export interface PushedEntries {
  readonly kind: 'entries';
  readonly epoch: number;
  readonly after: number;
  /** At least one entry, as `encodeTimedEntries` writes them. */
  readonly entries: string;
}

export interface PushedLog {
  readonly kind: 'log';
  readonly log: CarriedLog;
}

/** What a follower says to a push, whatever it made of it. */
export interface PushAnswer {
  /** The generation of the push that is answered. */
  readonly generation: number;
  /** Whether it still wants the room from this upstream. If not, it is no follower any more. */
  readonly wants: boolean;
  /** Where it stands now, and is to be pushed on from; undefined when it has nothing of the log. */
  readonly cursor: Cursor | undefined;
  /** How long it asks to be left alone, in ms, because the answer to its own call is on its way. */
  readonly retryIn: number;
}

/** The answer of an object that has not asked for a push of this generation, or needs it no more. */
export function declines(generation: number): PushAnswer {
  return { generation, wants: false, cursor: undefined, retryIn: 0 };
}

/**
 * The way to other objects, by name. A call that fails rejects, with what the platform says of it. A call
 * that is given up has its signal aborted, and may be obeyed all the same.
 */
export interface Objects {
  follow(upstream: string, call: FollowCall, signal: AbortSignal): Promise<FollowAnswer>;
  push(follower: string, call: PushCall, signal: AbortSignal): Promise<PushAnswer>;
}
