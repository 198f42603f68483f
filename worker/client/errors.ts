/**
 * What went wrong. It is given to `GatewayClient.on('error', …)` when the stream goes on, and thrown by
 * a loop over a subscription when the room refuses for good. Decide on `code`, never on the message.
 * Beside the codes below there are the gateway's own: of `error` frames, refusals and close codes.
 *
 * - `handler_failed`: a handler of yours threw or rejected; `cause` is what it threw.
 * - `token_failed`: your `token` function threw, or took more than ten seconds; it is asked again.
 * - `frame_invalid`: something arrived that is no frame; it was ignored.
 * - `address_invalid`: no WebSocket accepts the address or the token.
 * - `token_lost`: something on the way removes the subprotocol that carries the token. The rooms that
 *   are open to anyone work. Over a relay the token is brought over the open socket for the others.
 * - `upgrade_lost`: the gateway admits this client, but no WebSocket gets through to it.
 * - `cursor_invalid`: the `since` of a subscription is no cursor; `subscribe` throws it.
 * - `closed`: the client is closed.
 * - `epoch_older`: the room numbers its events as it did before; they are ignored until that ends.
 * - `system_gap`: alerts were missed and cannot be had any more; those that are still to be shown are
 *   given again, as a snapshot. `cause` is the gap: `{epoch, from, to, reason}`.
 *
 * @example
 * client.on('error', ({ code, room, message }) => console.warn(code, room, message));
 */
export class GatewayError extends Error {
  readonly code: string;
  readonly room: string | undefined;

  constructor(code: string, message: string, room?: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'GatewayError';
    this.code = code;
    this.room = room;
  }
}

/**
 * Is called with what went wrong in a room. The message is that of the cause, unless one is given; `room` when
 * it is another one.
 */
export type OnError = (code: string, cause: unknown, message?: string, room?: string) => void;

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
