/**
 * Reads the tags of frames. Most sockets of a room are sent the same bytes, so the tags of long frames
 * are kept for a moment: otherwise the clients would be what is measured.
 */
import { eachTag, type Tag } from './tagged-events.ts';

/** Below this length, in bytes, reading is as cheap as comparing. */
const LONG_FRAME = 2_000;
const KEPT_FRAMES = 8;

interface KeptFrame {
  readonly bytes: Buffer;
  readonly tags: readonly Tag[];
}

export class FrameReader {
  #kept: readonly KeptFrame[] = [];

  /** Calls `each` for every event of a frame, in their order. The tag is valid during the call only. */
  read(frame: Buffer, each: (tag: Tag) => void): void {
    if (frame.length < LONG_FRAME) eachTag(frame, each);
    else for (const tag of this.#tagsOf(frame)) each(tag);
  }

  #tagsOf(frame: Buffer): readonly Tag[] {
    const known = this.#kept.find(({ bytes }) => bytes.equals(frame));
    if (known !== undefined) return known.tags;
    const tags: Tag[] = [];
    eachTag(frame, (tag) => tags.push({ ...tag }));
    this.#kept = [{ bytes: Buffer.from(frame), tags }, ...this.#kept.slice(0, KEPT_FRAMES - 1)];
    return tags;
  }
}
