/**
 * The token and where it comes from. One for all connections of a client: rooms that connect
 * together ask the provider once. A token is kept until it is refused or nears its end; when there
 * is another one, every connection takes it.
 */
import type { Platform } from './connection/platform.ts';

/** Tokens come from a fetch or a silent login; what hangs longer is asked again. */
const PROVIDER_WITHIN_MS = 10_000;
/** A new token is asked for so long before the old one ends, or at a fifth of what is left of it. */
const RENEW_BEFORE_MS = 60_000;
const RENEW_BEFORE_SHARE = 0.2;
/** While the old one lasts: a few times in its last minute. */
const RENEW_AGAIN_MS = 10_000;

/** A JWT, or what gives one: '' for none. */
export type Token = string | (() => string | Promise<string>);

/** The token of an attempt. */
export interface TokenUsed {
  readonly token: string;
  /** Whether the provider gave it for this very attempt. */
  readonly fresh: boolean;
}

export class TokenSource {
  readonly #token: Token;
  readonly #platform: Platform;
  /** `renewAt`: Unix ms. */
  #kept: { readonly token: string; renewAt: number } | undefined;
  #asking: Promise<string> | undefined;
  /** Ends the waiting for a provider. */
  close: () => void = () => {};

  constructor(token: Token, platform: Platform) {
    this.#token = token;
    this.#platform = platform;
  }

  /** @throws what the provider throws, or when it gives none in time. */
  async obtain(): Promise<TokenUsed> {
    const provide = this.#token;
    if (typeof provide === 'string') return { token: provide, fresh: true };
    const kept = this.#kept;
    const now = this.#platform.now();
    if (kept) {
      if (now < kept.renewAt) return { token: kept.token, fresh: false };
      kept.renewAt = now + RENEW_AGAIN_MS;
    }
    this.#asking ??= this.#ask(provide).finally(() => {
      this.#asking = undefined;
    });
    return { token: await this.#asking, fresh: true };
  }

  /** Whether another token than `token` should be used by now. */
  isDue(token: string): boolean {
    const kept = this.#kept;
    return kept !== undefined && (kept.token !== token || this.#platform.now() >= kept.renewAt);
  }

  /** The gateway has taken `token`, which ends at `expiresAt`, Unix ms; NaN for never. */
  accepted(token: string, expiresAt: number): void {
    const left = expiresAt - this.#platform.now();
    // It was taken a moment ago: if it seems to have ended, our clock is wrong and tells nothing.
    if (this.#kept?.token === token && left > 0) {
      this.#kept.renewAt = expiresAt - Math.min(RENEW_BEFORE_MS, left * RENEW_BEFORE_SHARE);
    }
  }

  /** The gateway has refused a token. Gives whether there may be a better one. */
  refused({ token, fresh }: TokenUsed, code: string): boolean {
    if (this.#kept?.token === token) this.#kept = undefined;
    // Unless the provider gave just now what never was one.
    return typeof this.#token === 'function' && (code === 'token_expired' || !fresh);
  }

  async #ask(provide: () => string | Promise<string>): Promise<string> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    this.close = this.#platform.after(PROVIDER_WITHIN_MS, () =>
      reject(new Error('the token provider takes too long')),
    );
    try {
      const token = await Promise.race([provide(), late]);
      this.#kept = { token, renewAt: Number.POSITIVE_INFINITY };
      return token;
    } finally {
      this.close();
    }
  }
}
