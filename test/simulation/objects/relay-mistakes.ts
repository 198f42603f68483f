/** Mistakes that relays could make, planted as those of `mistakes.ts`. */
import { vi } from 'vitest';
import { Channel } from '../../../worker/room/channel.ts';
import { Channels } from '../../../worker/room/channels.ts';
import { Inbox } from '../../../worker/room/session/inbox.ts';
import { WINDOW_CHARACTERS, Window } from '../../../worker/room/session/output/window.ts';
import { Session } from '../../../worker/room/session/session.ts';
import { Sessions } from '../../../worker/room/session/sessions.ts';
import { replaceGetter, wrap } from '../planting.ts';
import type { Mistake } from './mistakes.ts';

const AT_RELAYS = { kind: 'relays' } as const;

export const RELAY_MISTAKES: readonly Mistake[] = [
  {
    ...AT_RELAYS,
    mistake: 'an ack frees what was sent of its room only',
    breaks: /lacks something/,
    plant: () => {
      const sentOf = plantCounters();
      wrap(Window, 'acknowledge', (_acknowledge, window, room, seq) => {
        const sent = sentOf(window);
        sent.splice(0, sent.length, ...sent.filter((one) => one[0] !== room || one[1] > seq));
      });
      replaceGetter(
        Window,
        'isFull',
        (window) => charactersOf(sentOf(window)) >= WINDOW_CHARACTERS,
      );
    },
  },
  {
    ...AT_RELAYS,
    mistake: 'a `subscribe` overtakes the `auth` before it',
    breaks: /was answered before it/,
    plant: () => replaceGetter(Inbox, 'isHeld', () => false),
  },
  {
    ...AT_RELAYS,
    mistake: 'a mirror is kept after its last entitled session',
    breaks: /and nobody reads it/,
    plant: () => vi.spyOn(Channels.prototype, 'tidy').mockReturnValue(),
  },
  {
    ...AT_RELAYS,
    mistake: 'an attachment over its bound ends the object',
    breaks: /aborts/,
    plant: () => {
      const sentOf = plantCounters();
      wrap(Window, 'save', (_save, window) => sentOf(window));
      wrap(Sessions, 'dismiss', (dismiss, _sessions, session, reason) => {
        if (reason === 'session_too_large') throw new Error(reason);
        dismiss(session, reason);
      });
    },
  },
  {
    ...AT_RELAYS,
    mistake: 'an answer to a list names another of its rooms',
    breaks: /nobody asked as/,
    plant: () => {
      const first = new Map<unknown, string | undefined>();
      wrap(Session, 'refuse', (refuse, _session, code, message, id, room) => {
        if (id === undefined || room === undefined) return refuse(code, message, id, room);
        if (!first.has(id)) first.set(id, room);
        refuse(code, message, id, first.get(id));
      });
    },
  },
  {
    ...AT_RELAYS,
    mistake: 'a resume is served twice',
    breaks: /nobody asked as/,
    // One that waits is served though a later one has taken its place.
    plant: () =>
      wrap(Channel, 'remove', (remove, _channel, member) => {
        if (member.state.kind !== 'waiting') remove(member);
      }),
  },
  {
    ...AT_RELAYS,
    mistake: 'a token that opens less ends no room',
    breaks: /may not be/,
    plant: () => {
      const renewed = new WeakSet<Session>();
      wrap(Session, 'renew', (renew, session, identity) => {
        renewed.add(session);
        renew(identity);
      });
      wrap(Session, 'leave', (leave, session, rooms, now) => {
        if (!renewed.delete(session)) leave(rooms, now);
      });
      wrap(Session, 'unsubscribe', (unsubscribe, _session, room, id, now) => {
        if (id !== undefined) unsubscribe(room, id, now);
      });
    },
  },
];

type Sent = [room: string, upTo: number, characters: number];

/** Counts what is on its way, frame by frame. */
function plantCounters(): (window: Window) => Sent[] {
  const counters = new WeakMap<Window, Sent[]>();
  const sentOf = (window: Window): Sent[] => {
    const sent = counters.get(window) ?? [];
    counters.set(window, sent);
    return sent;
  };
  wrap(Window, 'count', (count, window, ...sent) => {
    sentOf(window).push(sent);
    count(...sent);
  });
  wrap(Window, 'forget', (forget, window, room) => {
    const sent = sentOf(window);
    sent.splice(0, sent.length, ...sent.filter((one) => one[0] !== room));
    forget(room);
  });
  return sentOf;
}

function charactersOf(sent: readonly Sent[]): number {
  return sent.reduce((sum, [, , characters]) => sum + characters, 0);
}
