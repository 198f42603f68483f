/** Mistakes that a room could make, planted where its parts meet: the promises must find each out. */

import type { Entry } from '../../worker/room/log/entry.ts';
import type { Log } from '../../worker/room/log/log.ts';
import type { Chunk, Chunks } from '../../worker/room/store/chunks.ts';
import type { Seams } from './simulated-room.ts';

export interface Mistake {
  readonly mistake: string;
  /** Of the rooms in which it shows. */
  readonly kind: 'durable' | 'keyed';
  readonly seams: Seams;
}

export const MISTAKES: readonly Mistake[] = [
  {
    mistake: 'a record that was here before is appended again',
    kind: 'durable',
    seams: {
      positions: (positions) => overriding(positions, { judge: () => 'new' }),
    },
  },
  {
    mistake: 'the dirty mark is not written',
    kind: 'keyed',
    seams: {
      chunks: (chunks) => ({
        ...passing(chunks),
        put: (chunk) => {
          if (chunk.state === '' || JSON.parse(chunk.state).dirty !== true) chunks.put(chunk);
        },
      }),
    },
  },
  {
    mistake: 'a cursor of another epoch is trusted',
    kind: 'keyed',
    seams: {
      joinersLog: (log) =>
        overriding(log, {
          resume: (since, now) => log.resume(since && { ...since, epoch: log.epoch }, now),
        }),
    },
  },
  {
    mistake: 'a laggard is served from the tail, wherever its cursor is',
    kind: 'durable',
    seams: {
      servedLog: (log) => overriding(log, {}, { floor: 0 }),
    },
  },
  {
    mistake: 'a cursor below the floor is resumed',
    kind: 'keyed',
    seams: {
      joinersLog: (log) =>
        overriding(log, {
          resume: (since, now) =>
            since?.epoch === log.epoch && since.seq <= log.head
              ? { kind: 'replay', from: since.seq }
              : log.resume(since, now),
        }),
    },
  },
  {
    mistake: 'who joins misses what is pending',
    kind: 'durable',
    seams: {
      flusher: (flusher, log) =>
        overriding(flusher, { add: (member, _cursor, now) => flusher.add(member, log.head, now) }),
    },
  },
  {
    mistake: 'who joins gets again what its snapshot showed',
    kind: 'durable',
    seams: {
      flusher: (flusher) =>
        overriding(flusher, {
          add: (member, cursor, now) => flusher.add(member, Math.max(0, cursor - 1), now),
        }),
    },
  },
  {
    mistake: 'who slept with a cursor stands at the head',
    kind: 'durable',
    seams: {
      flusher: (flusher, log) =>
        overriding(flusher, {
          restore: (member, _cursor, now) => flusher.restore(member, log.head, now),
        }),
    },
  },
  {
    mistake: 'a room without keys is conflated',
    kind: 'durable',
    seams: {
      servedLog: (log) =>
        overriding(log, { latestAfter: (seq) => latestOf(log, seq) }, { isKeyed: true }),
    },
  },
  {
    mistake: 'the latest per key is taken to be of every key that ever was',
    kind: 'keyed',
    seams: {
      servedLog: (log) => overriding(log, {}, { conflatableFrom: 0 }),
    },
  },
  {
    mistake: 'a snapshot leaves out the newest event',
    kind: 'keyed',
    seams: {
      joinersLog: (log) => overriding(log, { snapshot: (now) => log.snapshot(now).slice(0, -1) }),
    },
  },
  {
    mistake: 'what has expired is sent',
    kind: 'durable',
    seams: {
      servedLog: (log) =>
        overriding(log, { expire: () => {}, entriesAfter: (seq) => log.entriesAfter(seq, 0) }),
    },
  },
  {
    mistake: 'the answer is given before the write',
    kind: 'durable',
    seams: { chunks: (chunks) => new LateChunks(chunks) },
  },
  {
    mistake: 'an append writes two rows',
    kind: 'durable',
    seams: {
      chunks: (chunks) => ({
        ...passing(chunks),
        put: (chunk) => {
          chunks.put(chunk);
          chunks.put(chunk);
        },
      }),
    },
  },
];

/** Each write waits for the next one. */
class LateChunks implements Chunks {
  readonly #chunks: Chunks;
  #waiting: Chunk | undefined;

  constructor(chunks: Chunks) {
    this.#chunks = chunks;
  }

  read(): Chunk[] {
    return this.#chunks.read();
  }

  put(chunk: Chunk): void {
    if (this.#waiting !== undefined) this.#chunks.put(this.#waiting);
    this.#waiting = chunk;
  }

  remove(slot: number): void {
    this.#chunks.remove(slot);
  }
}

function passing(chunks: Chunks): Chunks {
  return {
    read: () => chunks.read(),
    put: (chunk) => chunks.put(chunk),
    remove: (slot) => chunks.remove(slot),
  };
}

function latestOf(log: Log, seq: number): Entry[] {
  const entries = log.entriesAfter(seq, 0);
  return entries.filter(({ key }, index) => !entries.slice(index + 1).some((e) => e.key === key));
}

/** `target`, but for some of its methods and properties. */
function overriding<Target extends object>(
  target: Target,
  methods: Partial<Target>,
  properties: Partial<Target> = {},
): Target {
  const overrides = new Map<PropertyKey, unknown>(Object.entries({ ...methods, ...properties }));
  return new Proxy(target, {
    get: (_, name) => {
      if (overrides.has(name)) return overrides.get(name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
