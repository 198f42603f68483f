/** The handlers of `client.on`, by what they are for. What they throw ends here, as an error told. */
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

  /** Gives whether there was anyone to tell. */
  emit(kind: string, subject: unknown, room?: string, context: unknown = room): boolean {
    const told = [...this.#all].filter((entry) => entry.kind === kind);
    for (const { handler } of told) {
      const paired = handler as (subject: unknown, context: unknown) => unknown;
      // A handler of errors that fails is not told of its own failure.
      const onError = kind === 'error' ? console.error : this.errorsOf(room);
      void call(() => paired(subject, context), onError);
    }
    return told.length > 0;
  }

  errorsOf(room: string | undefined): OnError {
    return (code, cause, message = messageOf(cause), of = room) => {
      const error = new GatewayError(code, message, of, cause);
      if (!this.emit('error', error)) console.error(error);
    };
  }
}

/** Calls what is the user's: what it throws, now or later, is told. */
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
