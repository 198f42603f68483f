/** The handlers of `client.on`, by what they are for. What they throw is reported as an error. */
import { GatewayError, messageOf, type OnError } from '../errors.ts';

/** The overloads of `GatewayClient.on` pair each kind with what its handlers take. */
export type Handler = (subject: never, context: never) => unknown;

export class Handlers {
  readonly #all = new Set<{ readonly kind: string; readonly handler: Handler }>();

  /** Gives the function that takes it away. */
  add(kind: string, handler: Handler): () => void {
    const entry = { kind, handler };
    this.#all.add(entry);
    return () => {
      this.#all.delete(entry);
    };
  }

  /** @returns whether there was a handler. */
  emit(kind: string, subject: unknown, room?: string, context: unknown = room): boolean {
    const called = [...this.#all].filter((entry) => entry.kind === kind);
    for (const { handler } of called) {
      const paired = handler as (subject: unknown, context: unknown) => unknown;
      // A handler of errors that fails is not called for its own failure.
      const onError = kind === 'error' ? console.error : this.errorsOf(room);
      void call(() => paired(subject, context), onError);
    }
    return called.length > 0;
  }

  errorsOf(room: string | undefined): OnError {
    return (code, cause, message = messageOf(cause), of = room) => {
      const error = new GatewayError(code, message, of, cause);
      if (!this.emit('error', error)) console.error(error);
    };
  }
}

/** Calls what is the user's. What it throws, now or later, is reported. */
export async function call(
  handler: () => unknown,
  onError: (code: string, error: unknown) => void,
): Promise<void> {
  try {
    await handler();
  } catch (error) {
    onError('handler_failed', error);
  }
}
