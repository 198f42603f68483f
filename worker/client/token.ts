/**
 * The token and where it comes from. All connections of a client share it, so rooms that connect
 * together ask the provider once. A token is kept until it is refused or nears its end. When there is
 * another one, every open connection takes it at once.
 */
import type { Platform } from './connection/platform.ts';

/** A token comes from a fetch or a silent login. A provider that hangs longer is asked again. */
const PROVIDER_WITHIN_MS = 10_000;
/** A new token is asked for so long before the old one ends, or when a fifth of its time is left. */
const RENEW_BEFORE_MS = 60_000;
const RENEW_BEFORE_SHARE = 0.2;
/** How often the provider is asked again, when it has failed or has given the old token once more. */
const RENEW_AGAIN_MS = 10_000;
/** Timers take no longer wait than 2³¹ ms; an earlier look does no harm. */
const MAX_WAIT_MS = 86_400_000;

/** A JWT, or a function that gives one; '' for no token. */
export type Token = string | (() => string | Promise<string>);

/** An open connection, which takes another token over its socket. */
export interface TokenFollower {
  renew(token: string): void;
  /** The provider has failed. The old token lasts for now, and the provider is asked again. */
  failed(error: unknown): void;
}

export class TokenSource {
  readonly #token: Token;
  readonly #platform: Platform;
  #kept: string | undefined;
  /** When what is kept is to be renewed, Unix ms. */
  #renewAt = 0;
  #asking: Promise<string> | undefined;
  /** Whether the provider has given what is kept for the attempts that are under way. */
  #isFresh = false;
  readonly #followers = new Set<TokenFollower>();
  #cancelRenewal: () => void = () => {};
  #cancelAsking: () => void = () => {};

  constructor(token: Token, platform: Platform) {
    this.#token = token;
    this.#platform = platform;
  }

  /** @throws what the provider throws, or an error when it gives no token in time. */
  async obtain(): Promise<string> {
    const provide = this.#token;
    if (typeof provide === 'string') return provide;
    const kept = this.#kept;
    const now = this.#platform.now();
    this.#isFresh = false;
    if (kept !== undefined) {
      if (now < this.#renewAt) return kept;
      this.#renewAt = now + RENEW_AGAIN_MS;
    }
    this.#asking ??= this.#ask(provide).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /**
   * Gives `follower`, which uses `token`, every other token from now on. While anyone follows, the
   * token is renewed in time.
   */
  follow(token: string, follower: TokenFollower): () => void {
    this.#followers.add(follower);
    this.#arm();
    const kept = this.#kept;
    if (kept !== undefined && kept !== token) follower.renew(kept);
    return () => {
      this.#followers.delete(follower);
      this.#arm();
    };
  }

  /** Ends the waiting for a provider. */
  close(): void {
    this.#cancelAsking();
  }

  /** The gateway has taken `token`, which ends at `expiresAt`, Unix ms; NaN for never. */
  accepted(token: string, expiresAt: number): void {
    const left = expiresAt - this.#platform.now();
    // It was taken a moment ago. If it seems to have ended, our clock is wrong and tells nothing.
    if (this.#kept === token && left > 0) {
      this.#renewAt = expiresAt - Math.min(RENEW_BEFORE_MS, left * RENEW_BEFORE_SHARE);
      this.#arm();
    }
  }

  /** The gateway has refused a token. Returns whether there may be a better one. */
  refused(token: string, code: string): boolean {
    if (this.#kept === token) this.#kept = undefined;
    // There is none if the provider has given a token just now that was never good.
    const isHopeless = this.#isFresh && this.#kept === undefined && code !== 'token_expired';
    return typeof this.#token === 'function' && !isHopeless;
  }

  async #ask(provide: () => string | Promise<string>): Promise<string> {
    const late = new Promise<never>((_, reject) => {
      this.#cancelAsking = this.#platform.after(PROVIDER_WITHIN_MS, () =>
        reject(new Error('no token in time')),
      );
    });
    try {
      const token = await Promise.race([provide(), late]);
      // Many providers keep a token for nearly as long as it holds, so the same one is no last word.
      if (token !== this.#kept) this.#renewAt = Infinity;
      this.#kept = token;
      this.#isFresh = true;
      for (const follower of [...this.#followers]) follower.renew(token);
      return token;
    } finally {
      this.#cancelAsking();
    }
  }

  /** Looks again when the token is to be renewed, as long as anyone follows. */
  #arm(): void {
    this.#cancelRenewal();
    if (this.#kept === undefined || this.#followers.size === 0) return;
    const { after, now } = this.#platform;
    const waitMs = Math.min(this.#renewAt - now(), MAX_WAIT_MS);
    this.#cancelRenewal = after(waitMs, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    try {
      await this.obtain();
    } catch (error) {
      // All of them would say the same.
      const [follower] = this.#followers;
      follower?.failed(error);
    }
    this.#arm();
  }
}
