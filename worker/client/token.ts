/**
 * The token and where it comes from. All connections of a client share it, so rooms that connect
 * together ask the provider once. A token is kept until it is refused or nears its end. When there is
 * another one, every connection takes it.
 */
import type { Platform } from './connection/platform.ts';

/** A token comes from a fetch or a silent login. A provider that hangs longer is asked again. */
const PROVIDER_WITHIN_MS = 10_000;
/** A new token is asked for so long before the old one ends, or when a fifth of its time is left. */
const RENEW_BEFORE_MS = 60_000;
const RENEW_BEFORE_SHARE = 0.2;
/** How often the provider is asked again while the old token lasts. */
const RENEW_AGAIN_MS = 10_000;

/** A JWT, or a function that gives one; '' for no token. */
export type Token = string | (() => string | Promise<string>);

/** The token of an attempt. */
export interface TokenUsed {
  readonly token: string;
  /** Whether the provider has given it for this very attempt. */
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

  /** @throws what the provider throws, or an error when it gives no token in time. */
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
    // It was taken a moment ago. If it seems to have ended, our clock is wrong and tells nothing.
    if (this.#kept?.token === token && left > 0) {
      this.#kept.renewAt = expiresAt - Math.min(RENEW_BEFORE_MS, left * RENEW_BEFORE_SHARE);
    }
  }

  /** The gateway has refused a token. Returns whether there may be a better one. */
  refused({ token, fresh }: TokenUsed, code: string): boolean {
    if (this.#kept?.token === token) this.#kept = undefined;
    // There is none if the provider has given a token just now that was never good.
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
