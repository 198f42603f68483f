/** The frames of a message. Over a relay those of many rooms come together, in an array. */
import type { OnError } from '../errors.ts';
import { type Frame, readFrame } from './wire.ts';

/** How much of a text that is no frame is shown, in characters: enough to know it again. */
const MAX_QUOTED = 200;

/** What makes no sense is told, and what is newer than this client passed over: the rest goes on. */
export function framesOf(
  text: string,
  parse: (text: string) => unknown,
  onError: OnError,
): Frame[] {
  const read = <Value>(make: () => Value): Value | undefined => {
    try {
      return make();
    } catch (error) {
      onError('frame_invalid', error, text.slice(0, MAX_QUOTED));
      return undefined;
    }
  };
  const values = read(() => [parse(text)].flat()) ?? [];
  const length = text.length / values.length;
  return values.flatMap((value) => read(() => readFrame(value, length)) ?? []);
}
