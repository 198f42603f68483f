/** The frames of a message. Over a relay those of many rooms come together, in an array. */
import type { OnError } from '../errors.ts';
import { type Frame, readFrame } from './wire.ts';

/** What makes no sense is reported, what is newer than this client is passed over, and the rest goes on. */
export function framesOf(
  text: string,
  parse: (text: string) => unknown,
  onError: OnError,
): Frame[] {
  const read = <Value>(make: () => Value): Value | undefined => {
    try {
      return make();
    } catch (error) {
      onError('frame_invalid', error);
      return undefined;
    }
  };
  const values = read(() => [parse(text)].flat()) ?? [];
  const length = text.length / values.length;
  return values.flatMap((value) => read(() => readFrame(value, length)) ?? []);
}
