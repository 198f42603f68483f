/**
 * What a client may expect of its conversation with the room, by the plainest rules that say the
 * same: which messages are answered, which end the socket, and until when it may be sent anything.
 */
import type { CloseReason } from '../../worker/protocol/codes.ts';
import type { RoomFrame } from '../../worker/protocol/frames.ts';
import { promise } from './violation.ts';

const BURST = 100;
const PER_SECOND = 20;
const INVALID_ALLOWED = 8;
const ANSWER_CHARACTERS_PER_MESSAGE = 16 * 1024;

/** How a message is to be answered: by a frame of a type, and with a code if it is an error. */
export interface Expected {
  readonly id: string;
  readonly type: 'subscribed' | 'unsubscribed' | 'error';
  readonly code?: string;
}

export class Expectations {
  /** Until when the client may be sent a private room, Unix ms. */
  entitledUntil = Number.POSITIVE_INFINITY;
  /** Whose session it is; undefined while it is anonymous. */
  user: string | undefined;
  #allowance = BURST;
  /** The same, if all that was sent in a turn of a `subscribe` was its answer. */
  #leastAllowance = BURST;
  #countedAt: number;
  #invalid = 0;
  #owed: Expected[] = [];
  #owedErrors: string[] = [];
  #owedWelcomes: (number | undefined)[] = [];
  readonly #mayCloseFor = new Set<CloseReason>(['slow_consumer']);
  readonly #mustCloseFor = new Set<CloseReason>();

  constructor(now: number) {
    this.#countedAt = now;
  }

  /** The client sends a message. Whether the room may read it. */
  sends(now: number): boolean {
    const earned = ((now - this.#countedAt) / 1_000) * PER_SECOND;
    this.#allowance = Math.min(BURST, this.#allowance + earned);
    this.#leastAllowance = Math.min(BURST, this.#leastAllowance + earned);
    this.#countedAt = now;
    const mayBeTooMany = this.#leastAllowance-- <= 0;
    if (mayBeTooMany) this.#mayCloseFor.add('too_many_messages');
    if (this.#allowance <= 0) {
      this.#closesFor('too_many_messages');
      return false;
    }
    this.#allowance--;
    return true;
  }

  /** @param characters how much was sent in the turn of a `subscribe`. */
  answered(characters: number): void {
    this.#leastAllowance -= characters / ANSWER_CHARACTERS_PER_MESSAGE;
  }

  /** A message that has an id is answered. */
  owe(expected: Expected): void {
    this.#owed.push(expected);
  }

  /** Something that is no message is answered by an error, and ends the socket after a few. */
  invalid(): void {
    this.#invalid++;
    if (this.#invalid > INVALID_ALLOWED) this.#closesFor('message_invalid');
    else this.#owedErrors.push('message_invalid');
  }

  /** Something far too long ends the socket. */
  tooLong(): void {
    this.#closesFor('message_invalid');
  }

  /** A token was taken, and the client is told so. */
  renewed(user: string, expiresAt: number): void {
    this.user = user;
    this.#owedWelcomes.push(expiresAt);
  }

  /** The object sleeps: budgets and counts are kept in memory only. */
  wakes(): void {
    this.#allowance = BURST;
    this.#leastAllowance = BURST;
    this.#invalid = 0;
  }

  read(frame: RoomFrame): void {
    if (frame.type === 'welcome') {
      if (this.#owedWelcomes.length > 0) {
        const expiresAt = this.#owedWelcomes.shift();
        promise(frame.expiresAt === expiresAt, () => `welcome until ${frame.expiresAt}`);
      }
      return;
    }
    if (frame.type === 'error' && frame.id === undefined) {
      const code = this.#owedErrors.shift();
      promise(frame.code === code, () => `refused with ${frame.code}, not ${code}`);
      return;
    }
    if (!('id' in frame) || frame.id === undefined) return;
    const { id, type } = frame;
    const at = this.#owed.findIndex((owed) => owed.id === id);
    const [owed] = at === -1 ? [] : this.#owed.splice(at, 1);
    promise(owed?.type === type, () => `${type} in answer to ${id}, for ${owed?.type}`);
    const code = 'code' in frame ? frame.code : undefined;
    promise(owed.code === code, () => `${id} refused with ${code}, not ${owed.code}`);
    // A request that still waited is answered no more once the client has asked for something else.
    if (type !== 'error') {
      this.#owed = this.#owed.filter((other, index) => index >= at || other.type !== 'subscribed');
    }
  }

  /** The object may leave for newer code. */
  mayShutDown(): void {
    this.#mayCloseFor.add('shutdown');
  }

  /** The room closes the socket. */
  closes(reason: CloseReason, now: number): void {
    const isAllowed =
      this.#mayCloseFor.has(reason) || (reason === 'token_expired' && this.entitledUntil <= now);
    promise(isAllowed, () => `closed for ${reason}, and nothing gave reason to`);
  }

  /** A turn has ended, and the socket lives. Who waits to be welcomed is answered later. */
  endTurn(): void {
    const unanswered = this.#owed.filter(({ type }) => type !== 'subscribed');
    promise(unanswered.length === 0, () => `no answer to ${unanswered.map(({ id }) => id).join()}`);
    promise(this.#owedErrors.length === 0, () => 'an invalid message was not answered');
    promise(this.#owedWelcomes.length === 0, () => 'a new token was not answered');
    for (const reason of this.#mustCloseFor) promise(false, () => `not closed for ${reason}`);
  }

  /** Everything has come to rest. */
  rest(): void {
    const ids = this.#owed.map(({ id }) => id);
    promise(ids.length === 0, () => `no answer to ${ids.join()} at the end`);
  }

  #closesFor(reason: CloseReason): void {
    this.#mayCloseFor.add(reason);
    this.#mustCloseFor.add(reason);
  }
}
