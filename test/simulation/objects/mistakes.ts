/**
 * Mistakes that objects could make with each other: the promises must find each of them out. Each is
 * planted in a part of the production room, by replacing a method or what stands between the room and
 * its storage.
 */
import { vi } from 'vitest';
import { Channel } from '../../../worker/room/channel.ts';
import { Call } from '../../../worker/room/follow/calls/call.ts';
import type { PushCall } from '../../../worker/room/follow/calls/objects.ts';
import { Followers } from '../../../worker/room/follow/followers.ts';
import { LARGE_LOGS_AT_ONCE, LargeLogs } from '../../../worker/room/follow/large-logs.ts';
import { Mirror } from '../../../worker/room/follow/mirror.ts';
import { Upstream } from '../../../worker/room/follow/upstream.ts';
import { decodeEntries, encodeEntries } from '../../../worker/room/log/entry.ts';
import { Room } from '../../../worker/room/room.ts';
import { Sessions } from '../../../worker/room/session/sessions.ts';
import { MemoryStore } from '../../../worker/room/store/memory-store.ts';
import { replaceGetter, wrap } from '../planting.ts';
import type { KindName } from './lives.ts';
import type { WorldOptions } from './world.ts';

export interface Mistake {
  readonly mistake: string;
  /** The kind of lives in which it shows: `rooms` unless given. */
  readonly kind?: KindName;
  /** What of it is to be found, if it may be found out by less. */
  readonly breaks?: RegExp;
  /** Plants it; vitest takes it out again. */
  readonly plant?: () => unknown;
  /** Another way to plant it: it stands between each object and its storage. */
  readonly storage?: WorldOptions['storage'];
}

export const MISTAKES: readonly Mistake[] = [
  {
    mistake: 'an older generation is trusted',
    plant: () =>
      wrap(Followers, 'follow', (follow, _followers, call, now) => {
        const answer = follow(call, now);
        if (answer.kind !== 'outdated') return answer;
        return follow({ ...call, generation: answer.generation + 1 }, now);
      }),
  },
  {
    mistake: 'a repeated push is appended',
    plant: () =>
      wrap(Mirror, 'push', (push, mirror, call, now) =>
        push(renumbered(call, mirror.channel.log.head), now),
      ),
  },
  {
    mistake: 'a hole is not pulled',
    plant: () =>
      wrap(Mirror, 'push', (push, mirror, call, now) => {
        const { upstream, generation, content } = call;
        const { channel } = mirror;
        const { epoch, head } = channel.log;
        const isPresent = mirror.upstream.isPresent(upstream, generation);
        if (!isPresent || content.kind === 'log' || content.epoch !== epoch) return push(call, now);
        if (content.after <= head) return push(call, now);
        const entries = decodeEntries(content.entries);
        for (const entry of entries) channel.log.accept(entry, now);
        channel.appended(entries, [], now);
        return { generation, wants: true, cursor: { epoch, seq: channel.log.head }, retryIn: 0 };
      }),
  },
  {
    mistake: "a follower's row is forgotten",
    storage: (storage) => ({
      ...storage,
      followRows: {
        read: () => storage.followRows.read(),
        put: (row) => {
          if (row.follower === '') storage.followRows.put(row);
        },
        remove: (room, follower) => storage.followRows.remove(room, follower),
      },
    }),
  },
  {
    mistake: 'the answer of an attempt that was given up counts',
    plant: () => {
      const attempts = new WeakMap<Call, number>();
      wrap(Call, 'giveUp', (giveUp, call) => {
        attempts.set(call, (attempts.get(call) ?? 0) + 1);
        giveUp();
      });
      wrap(Call, 'begin', (begin, call, ask, now, outcomes) => {
        const attempt = attempts.get(call) ?? 0;
        const late = async (signal: AbortSignal) => {
          const answer = await ask(signal);
          if ((attempts.get(call) ?? 0) !== attempt) outcomes.answered(answer, now);
          return answer;
        };
        begin(late, now, outcomes as never);
      });
    },
  },
  {
    mistake: 'two upstreams push one mirror',
    plant: () => vi.spyOn(Upstream.prototype, 'isPresent').mockReturnValue(true),
  },
  {
    mistake: 'a room stays followed with no reader',
    plant: () => replaceGetter(Channel, 'size', () => 1),
  },
  {
    mistake: "an epoch's change is not told",
    plant: () =>
      wrap(Channel, 'refill', (refill, { log }, saved, now) => {
        if (saved.epoch === log.epoch) refill(saved, now);
        else log.refill(saved);
      }),
  },
  {
    mistake: 'a push is caused inside `follow`',
    breaks: /in the turn of a follow/,
    plant: () =>
      wrap(Room, 'follow', (follow, room, call) => {
        const answer = follow(call);
        room.alarm();
        return answer;
      }),
  },
  {
    mistake: 'a follower without deadline holds up its siblings',
    plant: () => {
      let running: Followers | undefined;
      const unanswered = new WeakMap<Followers, number>();
      const add = (followers: Followers, count: number) =>
        unanswered.set(followers, (unanswered.get(followers) ?? 0) + count);
      const holdsUp = (followers: Followers) => (unanswered.get(followers) ?? 0) > 0;
      replaceGetter(Call, 'deadline', () => Number.POSITIVE_INFINITY);
      wrap(Call, 'run', () => {});
      wrap(Followers, 'dueAt', (dueAt, followers, now) =>
        holdsUp(followers) ? Number.POSITIVE_INFINITY : dueAt(now),
      );
      wrap(Followers, 'run', (run, followers, now) => {
        running = followers;
        run(now);
        running = undefined;
      });
      wrap(Call, 'begin', (begin, _call, ask, now, outcomes) => {
        const followers = running;
        if (followers === undefined) return begin(ask, now, outcomes as never);
        add(followers, 1);
        const counted = (signal: AbortSignal) => ask(signal).finally(() => add(followers, -1));
        begin(counted, now, outcomes as never);
      });
    },
  },
  {
    mistake: 'the bound of large logs on their way is forgotten',
    breaks: /large logs on their way/,
    plant: () => replaceGetter(LargeLogs, 'areMost', () => false),
  },
  {
    mistake: 'the place of a large log is never free again',
    breaks: /lacks/,
    plant: () => {
      const pushed = new WeakMap<LargeLogs, number>();
      wrap(LargeLogs, 'begin', (begin, logs, call, isLarge) => {
        if (isLarge) pushed.set(logs, (pushed.get(logs) ?? 0) + 1);
        begin(call, isLarge);
      });
      const isOver = (logs: LargeLogs) => (pushed.get(logs) ?? 0) >= LARGE_LOGS_AT_ONCE;
      replaceGetter(LargeLogs, 'areMost', isOver);
    },
  },
  {
    mistake: 'a large log is the answer to `follow`',
    breaks: /a follower is answered with/,
    plant: () => vi.spyOn(LargeLogs.prototype, 'isLarge').mockReturnValue(false),
  },
  {
    mistake: 'the alarm is not armed',
    storage: (storage) => ({ ...storage, setAlarm: () => {} }),
  },
  {
    mistake: 'rights are not checked again after an await',
    plant: () => vi.spyOn(Sessions.prototype, 'holds').mockReturnValue(true),
  },
  {
    mistake: 'who leaves for newer code saves nothing of its log',
    breaks: /another epoch for nothing/,
    plant: () => vi.spyOn(MemoryStore.prototype, 'saveAll').mockImplementation(() => {}),
  },
];

/** What was here before gets the next numbers. */
function renumbered(call: PushCall, head: number): PushCall {
  const { content } = call;
  if (content.kind === 'log' || content.after >= head) return call;
  const entries = decodeEntries(content.entries).map((entry, index) => ({
    ...entry,
    seq: head + 1 + index,
    text: entry.text.replace(/^\{"seq":\d+/, `{"seq":${head + 1 + index}`),
  }));
  return { ...call, content: { ...content, after: head, entries: encodeEntries(entries) } };
}
