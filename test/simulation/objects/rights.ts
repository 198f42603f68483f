/** What a client may be sent, by the tokens that it has sent and that were taken. */
import { accessTo } from '../../../worker/auth/access.ts';
import { parseRoomName } from '../../../worker/protocol/rooms.ts';
import { promise } from '../violation.ts';

/** A token as clients of a life have it. */
export interface Token {
  readonly user: string;
  /** Unix ms. No two tokens end at one time, so this tells them apart. */
  readonly expiresAt: number;
  readonly isGenuine: boolean;
  /** The custom rooms that it grants. */
  readonly rooms: readonly string[];
}

interface Sent {
  readonly id: string;
  readonly token: Token;
  /** Numbers what the client says. */
  readonly order: number;
}

export class Rights {
  #held: Token | undefined;
  #isWelcome = false;
  /** Which message brought the token that is held. */
  #takenOrder = 0;
  #sent: Sent[] = [];

  /** @param held the token that the client came with. */
  constructor(held: Token | undefined) {
    this.#held = held;
  }

  get user(): string | undefined {
    return this.#held?.user;
  }

  get takenOrder(): number {
    return this.#takenOrder;
  }

  /** Whether every token that was sent is answered. */
  get isSettled(): boolean {
    return this.#sent.length === 0;
  }

  hasEnded(now: number): boolean {
    return this.#held !== undefined && this.#held.expiresAt <= now;
  }

  /** Whether the client may be sent a room. */
  opens(room: string, now: number): boolean {
    const name = parseRoomName(room);
    if (name === undefined) return false;
    if (accessTo(name, {}) === 'granted') return true;
    return accessTo(name, this.#held ?? {}) === 'granted' && !this.hasEnded(now);
  }

  sends(sent: Sent): void {
    this.#sent.push(sent);
  }

  /** The gateway says whose socket it is. */
  welcomed(user: string | undefined, expiresAt: number | undefined): void {
    if (!this.#isWelcome) {
      this.#isWelcome = true;
      const isHeld = expiresAt === this.#held?.expiresAt && user === this.#held?.user;
      promise(isHeld, () => `welcome as ${user} until ${expiresAt}`);
      return;
    }
    const taken = this.#settle((sent) => sent.token.expiresAt === expiresAt);
    promise(taken !== undefined, () => `welcome until ${expiresAt}`);
    const { token, order } = taken;
    promise(token.isGenuine, () => `a token of ${token.user} was taken that is not genuine`);
    const isOwn = this.#held === undefined || this.#held.user === token.user;
    promise(isOwn && user === token.user, () => `${token.user} took over from ${this.user}`);
    this.#held = token;
    this.#takenOrder = order;
  }

  /** An error names what was sent. Whether that was a token. */
  refused(id: string): boolean {
    return this.#settle((sent) => sent.id === id) !== undefined;
  }

  /** A message is answered: by then, all tokens before it were. */
  answered(order: number): void {
    const [oldest] = this.#sent;
    const isInOrder = oldest === undefined || order <= oldest.order;
    promise(isInOrder, () => `what was said after ${oldest?.id} was answered before it`);
  }

  #settle(isIt: (sent: Sent) => boolean): Sent | undefined {
    const settled = this.#sent.find(isIt);
    const [oldest] = this.#sent;
    const isInOrder = settled === undefined || settled === oldest;
    promise(isInOrder, () => `${settled?.id} was answered before ${oldest?.id}`);
    this.#sent = this.#sent.filter((sent) => sent !== settled);
    return settled;
  }
}
