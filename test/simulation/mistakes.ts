/**
 * Mistakes that a room could make: the promises must find each of them out. Each is planted in a part
 * of the production room, by replacing one of its methods while the simulation runs.
 */
import { vi } from 'vitest';
import { Channel } from '../../worker/room/channel.ts';
import { Budget } from '../../worker/room/delivery/budget.ts';
import { Group } from '../../worker/room/delivery/cohort.ts';
import { Positions } from '../../worker/room/intake/positions.ts';
import type { Entry } from '../../worker/room/log/entry.ts';
import { Log } from '../../worker/room/log/log.ts';
import { Session } from '../../worker/room/session/session.ts';
import { Sessions } from '../../worker/room/session/sessions.ts';
import { Subscription } from '../../worker/room/session/subscription.ts';
import type { Chunk, Chunks } from '../../worker/room/store/chunks.ts';
import { MemoryStore } from '../../worker/room/store/memory-store.ts';
import { during, replaceGetter, whileJoining, whileServing, wrap } from './planting.ts';

export interface Mistake {
  readonly mistake: string;
  /** The kind of room in which it shows. */
  readonly kind: 'durable' | 'keyed';
  /** Plants it; vitest takes it out again. */
  readonly plant?: () => unknown;
  /** Another way to plant it: it stands between the room and its disk. */
  readonly chunks?: (chunks: Chunks) => Chunks;
}

export const MISTAKES: readonly Mistake[] = [
  {
    mistake: 'a record that was here before is appended again',
    kind: 'durable',
    plant: () => vi.spyOn(Positions.prototype, 'judge').mockReturnValue('new'),
  },
  {
    mistake: 'the dirty mark is not written',
    kind: 'keyed',
    chunks: (chunks) => ({
      ...passing(chunks),
      put: (chunk) => {
        if (chunk.state === '' || JSON.parse(chunk.state).dirty !== true) chunks.put(chunk);
      },
    }),
  },
  {
    mistake: 'a cursor of another epoch is trusted',
    kind: 'keyed',
    plant: () =>
      wrap(Channel, 'join', (join, channel, member, now) => {
        const { state } = member;
        if (state.kind === 'waiting' && state.since !== undefined) {
          member.state = { ...state, since: { ...state.since, epoch: channel.log.epoch } };
        }
        join(member, now);
      }),
  },
  {
    mistake: 'a laggard is served from the tail, wherever its cursor is',
    kind: 'durable',
    plant: () => whileServing(() => [replaceGetter(Log, 'floor', () => 0)]),
  },
  {
    mistake: 'a cursor below the floor is resumed',
    kind: 'keyed',
    plant: () =>
      wrap(Channel, 'welcome', (welcome, _channel, ...args) =>
        during(
          () => [replaceGetter(Log, 'floor', () => 0)],
          () => welcome(...args),
        ),
      ),
  },
  {
    mistake: 'who joins misses what is pending',
    kind: 'durable',
    plant: () => whileJoining((_cursor, { log }) => log.head),
  },
  {
    mistake: 'who joins gets again what its snapshot showed',
    kind: 'durable',
    plant: () => whileJoining((cursor) => Math.max(0, cursor - 1)),
  },
  {
    mistake: 'who slept with a cursor stands at the head',
    kind: 'durable',
    plant: () =>
      wrap(Channel, 'restore', (restore, _channel, member, _cursor, now) =>
        restore(member, undefined, now),
      ),
  },
  {
    mistake: 'a room without keys is conflated',
    kind: 'durable',
    plant: () => {
      replaceGetter(Log, 'isKeyed', () => true);
      wrap(Log, 'latestAfter', (_original, log, seq) => latestOf(log, seq));
    },
  },
  {
    mistake: 'the latest per key is taken to be of every key that ever was',
    kind: 'keyed',
    plant: () => replaceGetter(Log, 'conflatableFrom', () => 0),
  },
  {
    mistake: 'a snapshot leaves out the newest event',
    kind: 'keyed',
    plant: () => wrap(Log, 'snapshot', (snapshot, _log, now) => snapshot(now).slice(0, -1)),
  },
  {
    mistake: 'what has expired is sent',
    kind: 'durable',
    plant: () =>
      whileServing(() => [
        wrap(Log, 'expire', () => {}),
        wrap(Log, 'entriesAfter', (entriesAfter, _log, seq) => entriesAfter(seq, 0)),
      ]),
  },
  {
    mistake: 'the answer is given before the write',
    kind: 'durable',
    chunks: (chunks) => new LateChunks(chunks),
  },
  {
    mistake: 'an append writes two rows',
    kind: 'durable',
    chunks: (chunks) => ({
      ...passing(chunks),
      put: (chunk) => {
        chunks.put(chunk);
        chunks.put(chunk);
      },
    }),
  },
  {
    mistake: 'a cohort is not advanced',
    kind: 'durable',
    plant: () => vi.spyOn(Group.prototype, 'advance').mockImplementation(() => {}),
  },
  {
    mistake: 'who leaves for newer code saves nothing',
    kind: 'keyed',
    plant: () => vi.spyOn(MemoryStore.prototype, 'saveAll').mockImplementation(() => {}),
  },
  {
    mistake: 'who leaves for newer code saves the latest per key only',
    kind: 'keyed',
    plant: () => replaceGetter(Log, 'kept', ({ latest }) => latest),
  },
  {
    mistake: 'a tail that was saved is believed after a crash',
    kind: 'keyed',
    chunks: (chunks) => ({
      ...passing(chunks),
      put: (chunk) => {
        const state = chunk.state === '' ? undefined : JSON.parse(chunk.state);
        const isBelieved = state?.whole && state.dirty;
        if (!isBelieved) chunks.put(chunk);
      },
    }),
  },
  // The path of what clients say:
  {
    mistake: 'an answer to a socket that is closing ends the object',
    kind: 'durable',
    plant: () =>
      wrap(Session, 'send', (_send, { output }, frame) => {
        if (!output.send(frame)) throw new TypeError('the socket is closing');
      }),
  },
  {
    mistake: 'a flood of messages is read',
    kind: 'durable',
    plant: () => vi.spyOn(Budget.prototype, 'affords').mockReturnValue(true),
  },
  {
    mistake: 'who sends garbage is not told',
    kind: 'durable',
    plant: () => vi.spyOn(Session.prototype, 'refuse').mockImplementation(() => {}),
  },
  {
    mistake: 'who sends garbage is heard for ever',
    kind: 'durable',
    plant: () =>
      wrap(Session, 'refuse', (refuse, session, ...args) => {
        session.invalidMessages = 0;
        refuse(...args);
      }),
  },
  {
    mistake: 'who unsubscribed goes on being sent events',
    kind: 'durable',
    plant: () => vi.spyOn(Channel.prototype, 'remove').mockImplementation(() => {}),
  },
  {
    mistake: 'an ack of a number that was never sent opens the window',
    kind: 'durable',
    plant: () => vi.spyOn(Subscription.prototype, 'wasSent').mockReturnValue(true),
  },
  {
    mistake: 'an ack opens the window and brings nothing',
    kind: 'durable',
    plant: () => vi.spyOn(Channel.prototype, 'wake').mockImplementation(() => {}),
  },
  {
    mistake: 'a token that has ended is served',
    kind: 'durable',
    plant: () => vi.spyOn(Sessions.prototype, 'sweep').mockImplementation(() => {}),
  },
  {
    mistake: 'a new token is forgotten',
    kind: 'durable',
    plant: () =>
      wrap(Session, 'renew', (_renew, session, { tokenExpiresAt }) => {
        session.send(JSON.stringify({ type: 'welcome', expiresAt: tokenExpiresAt }));
      }),
  },
  {
    mistake: 'a token is taken for a session that has ended while it was checked',
    kind: 'durable',
    plant: () => vi.spyOn(Sessions.prototype, 'holds').mockReturnValue(true),
  },
  {
    mistake: 'what changed of a session is not saved',
    kind: 'durable',
    plant: () => vi.spyOn(Sessions.prototype, 'changed').mockImplementation(() => {}),
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
