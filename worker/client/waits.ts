/** How long the client waits for what, ms. A file without imports, so that a bundler puts the numbers in place. */

/** From the request to `welcome`: a slow network's TLS handshake, and a room that has to start. */
export const WELCOME_WITHIN_MS = 15_000;
/** Open for so long, a connection is no part of a crash loop. */
export const STEADY_MS = 10_000;
/** Browsers have been known to say "offline" and be wrong, so we look now and then. */
export const PROBE_EVERY_MS = 60_000;
/** A refusal is answered at once; what takes longer is an outage. */
export const REFUSAL_WITHIN_MS = 10_000;
/** A room goes on from a cursor in one turn, where it must not be fetched from elsewhere first. */
export const ANSWER_WITHIN_MS = 10_000;
/** Whoever is to be sent a state waits in line: 2,000 clients and a state of 2 MB take four minutes. */
export const STATE_WITHIN_MS = 300_000;
