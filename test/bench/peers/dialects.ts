/** How a client speaks to each contender: where it connects, how it joins its rooms, and what brings events. */

export const CONTENDERS = ['gateway', 'socket.io', 'ws', 'centrifugo'] as const;
export type ContenderName = (typeof CONTENDERS)[number];

type Say = (text: string) => void;

export interface Dialect {
  path(rooms: readonly string[]): string;
  /**
   * Begins to speak over a socket that is open. What it returns takes each frame until it says that all
   * rooms are joined.
   */
  join(rooms: readonly string[], say: Say): (text: string) => boolean;
  /** Whether a frame of a socket that has joined brings events. It answers the others if need be. */
  bringsEvents(frame: Buffer, say: Say): boolean;
  /** The events of a frame that brings some, parsed. */
  eventsOf(text: string): unknown[];
}

const ws: Dialect = {
  path: () => '/',
  join(rooms, say) {
    say(JSON.stringify({ subscribe: rooms }));
    return (text) => text === '{"subscribed":true}';
  },
  bringsEvents: () => true,
  eventsOf: (text) => [JSON.parse(text)],
};

/** Engine.IO 4 and the Socket.IO protocol 5: the digits are the types of packets. */
const socketIo: Dialect = {
  path: () => '/socket.io/?EIO=4&transport=websocket',
  join: (rooms, say) => (text) => {
    if (text === '2') say('3');
    else if (text.startsWith('0')) say('40');
    else if (text.startsWith('40')) say(`420${JSON.stringify(['join', rooms])}`);
    return text.startsWith('430');
  },
  bringsEvents(frame, say) {
    if (frame.length === 1) say('3');
    return frame.length > 1;
  },
  eventsOf: (text) => [JSON.parse(text.slice(2))[1]],
};

/** Several messages may share a frame, one a line. An empty one is a ping. */
const centrifugo: Dialect = {
  path: () => '/connection/websocket',
  join(rooms, say) {
    const commands = [{ connect: {} }, ...rooms.map((channel) => ({ subscribe: { channel } }))];
    say(commands.map((command, at) => JSON.stringify({ id: at + 1, ...command })).join('\n'));
    const last = `"id":${commands.length},"subscribe"`;
    return (text) => {
      if (text.split('\n').includes('{}')) say('{}');
      return text.includes(last);
    };
  },
  bringsEvents(frame, say) {
    const isEvents = frame.length > PING.length;
    if (!isEvents || frame.includes(`\n${PING}`)) say(PING);
    return isEvents;
  },
  eventsOf: (text) =>
    text
      .split('\n')
      .filter((line) => line !== PING)
      .map((line) => JSON.parse(line).push.pub.data),
};
const PING = '{}';

/** One room is joined at its own address, and several over a relay, whose messages are arrays. */
const gateway: Dialect = {
  path: (rooms) => (rooms.length === 1 ? `/v1/rooms/${rooms[0]}` : '/v1/ws'),
  join(rooms, say) {
    if (rooms.length > 1) {
      say(JSON.stringify({ type: 'subscribe', id: 1, rooms: rooms.map((room) => ({ room })) }));
    }
    const missing = new Set(rooms);
    return (text) => {
      for (const frame of [JSON.parse(text)].flat()) {
        if (frame.type === 'error' || frame.type === 'gap') throw new Error(text);
        if (frame.type === 'snapshot' && frame.more !== true) missing.delete(frame.room);
      }
      return missing.size === 0;
    };
  },
  bringsEvents: () => true,
  eventsOf: (text) =>
    [JSON.parse(text)]
      .flat()
      .flatMap((frame) => frame.events.map(({ event }: { event: unknown }) => event)),
};

export const DIALECTS: Readonly<Record<ContenderName, Dialect>> = {
  gateway,
  'socket.io': socketIo,
  ws,
  centrifugo,
};
