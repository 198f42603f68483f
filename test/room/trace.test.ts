/** Sessions that ask for the times of events, beside others that do not. */
import { describe, expect, it } from 'vitest';
import { POLICIES } from '../../worker/policy.ts';
import type { Events, Times } from '../../worker/protocol/frames.ts';
import { Frames } from '../../worker/room/delivery/frames.ts';
import { eventSlices, MAX_FRAME_CHARACTERS } from '../../worker/room/delivery/slice.ts';
import { newEntry } from '../../worker/room/log/entry.ts';
import { kafkaBatch, webhookBatch } from '../support/room-batch.ts';
import { ObjectsInMemory } from './objects-in-memory.ts';
import { type FakeSocket, RoomInMemory } from './room-in-memory.ts';

const TRACED = { isTraced: true };
const RELAY = 'relay weur.0';
/** A window of the client that it fills at once. */
const LARGE = 150_000;

function eventsFrames({ frames }: FakeSocket): Events[] {
  return frames.filter((frame) => frame.type === 'events');
}

function timesGiven(socket: FakeSocket): (Times | undefined)[] {
  return eventsFrames(socket).flatMap(({ events }) => events.map(({ times }) => times));
}

function textsOf({ texts }: FakeSocket): string[] {
  return texts.filter((text) => text.includes('"type":"events"'));
}

const record = (offset: number, timestamp: number) => ({
  index: 0,
  event: `{"n":${offset}}`,
  key: undefined,
  expiresAt: undefined,
  priority: 'high' as const,
  position: { topic: 't', partition: 0, offset, timestamp },
});

describe('R15: a session with a trace', () => {
  it('is sent when Kafka, the bridge, the Worker and the room had the event', () => {
    const room = new RoomInMemory();
    const socket = room.join(TRACED);
    const { now } = room;
    const batch = kafkaBatch('c', [record(0, now - 20), record(1, now - 19)]);
    room.room.append({ ...batch, sentAt: now - 9, receivedAt: now - 4 });
    expect(timesGiven(socket)).toEqual([
      [now - 20, now - 9, now - 4, now],
      [now - 19, now - 9, now - 4, now],
    ]);
  });

  it('is sent null for a time that is not known', () => {
    const room = new RoomInMemory();
    const socket = room.join(TRACED);
    const { now } = room;
    room.room.append(kafkaBatch('c', [record(0, 0)]));
    const webhook = webhookBatch({ webhookId: 'w', staleAt: now + 1_000 }, [record(1, 0)]);
    room.clock.advance(1);
    room.room.append({ ...webhook, receivedAt: now - 4 });
    room.clock.advance(50);
    expect(timesGiven(socket)).toEqual([
      [null, null, null, now],
      [null, null, now - 4, now + 1],
    ]);
  });

  it('changes no byte of what others are sent', () => {
    const alone = new RoomInMemory();
    const others = new RoomInMemory();
    const sockets = [alone.join(), others.join()] as const;
    const traced = others.join(TRACED);
    for (const room of [alone, others]) room.appendEach({}, { key: 'A' }, {});
    expect(sockets[1].texts).toEqual(sockets[0].texts);
    expect(traced.sent).toEqual(sockets[1].sent);
    expect(timesGiven(sockets[1])).toEqual([undefined, undefined, undefined]);
    const plain = textsOf(traced).map((text) => text.replaceAll(/,"times":\[[^\]]*\]/g, ''));
    expect(plain).toEqual(textsOf(sockets[1]));
  });

  it('is sent the state without times, and goes on with them after a sleep', () => {
    const room = new RoomInMemory(POLICIES.price);
    room.append({ key: 'A' });
    const socket = room.join(TRACED);
    const other = room.join();
    room.clock.advance(10_000);
    expect(socket.texts.join()).not.toContain('"times"');
    const awake = room.wake(socket, other);
    const { now } = awake;
    awake.append({ key: 'A' });
    expect(timesGiven(socket)).toEqual([[now, null, null, now]]);
    expect(timesGiven(other)).toEqual([undefined]);
  });

  it('keeps its window, is conflated and catches up like others', () => {
    const room = new RoomInMemory(POLICIES.price);
    const sockets = [room.join(TRACED), room.join()];
    for (const socket of sockets) room.ack(socket, 0);
    room.appendEach({ key: 'A', size: LARGE }, { key: 'A', size: LARGE }, { key: 'A' }, {});
    room.clock.advance(1_000);
    room.appendEach({ key: 'A' }, { key: 'B' });
    for (const socket of sockets) room.ack(socket, 2);
    room.clock.advance(1_000);
    expect(eventsFrames(sockets[0] as FakeSocket).length).toBeGreaterThan(2);
    expect(sockets[0]?.sent).toEqual(sockets[1]?.sent);
    expect(timesGiven(sockets[0] as FakeSocket)).not.toContain(undefined);
  });

  it('counts all that it is sent against its window', () => {
    const room = new RoomInMemory();
    const socket = room.join(TRACED);
    room.ack(socket, 0);
    const before = socket.texts.length;
    room.appendEach({}, {}, {});
    const sent = socket.texts.slice(before).join('');
    expect(room.of(socket).output.inFlight).toBe(sent.length);
  });

  it('is sent no times of entries that were read back from a disk', () => {
    const room = new RoomInMemory();
    room.append({}, {});
    const awake = room.wake();
    const epoch = JSON.parse(awake.room.history(undefined, 1)).epoch;
    const socket = awake.join({ ...TRACED, since: { epoch, seq: 0 } });
    awake.append({});
    expect(timesGiven(socket)).toEqual([undefined, undefined, [awake.now, null, null, awake.now]]);
  });
});

describe('R15: a session with a trace at a relay', () => {
  it('is sent the times of the root, whether they were pushed or asked for', async () => {
    const objects = new ObjectsInMemory();
    const appendedAt: number[] = [];
    const append = async () => {
      appendedAt.push(objects.clock.now());
      objects.append('trade:A');
      await objects.elapse(200);
    };
    await append();
    await append();
    const { epoch } = JSON.parse(objects.room('trade:A').history(undefined, 1));
    const sockets = [TRACED, {}].map((more) => objects.join(RELAY, { system: 'off', ...more }));
    const rooms = [{ room: 'trade:A', since: { epoch, seq: 0 } }];
    for (const socket of sockets) {
      void objects.room(RELAY).receive(socket, JSON.stringify({ type: 'subscribe', rooms }));
    }
    await objects.elapse(200);
    await append();
    await objects.elapse(10_000);
    objects.sleep(RELAY);
    await append();
    const [traced, other] = sockets as [FakeSocket, FakeSocket];
    expect(timesGiven(traced)).toEqual(appendedAt.map((at) => [at, null, null, at]));
    expect(traced.sent).toEqual(other.sent);
    expect(timesGiven(other)).toEqual(appendedAt.map(() => undefined));
  });
});

describe('R15: a frame with times', () => {
  const batchTimes = {
    bridge: 1_700_000_000_001,
    worker: 1_700_000_000_002,
    room: 1_700_000_000_003,
  };
  const sliceOf = (count: number, size: number) => {
    const event = `{"p":"${'x'.repeat(size)}"}`;
    const fields = { key: undefined, expiresAt: 1, perishable: false, kafkaAt: 1_700_000_000_000 };
    const entries = Array.from({ length: count }, (_, index) =>
      newEntry(index + 1, event, { ...fields, batchTimes }),
    );
    const [slice] = eventSlices(0, entries);
    if (slice === undefined) throw new Error('there is a slice');
    return slice;
  };

  it('is encoded once for all who ask for it, and leaves the frame of the others as it was', () => {
    const frames = new Frames('r');
    const slice = sliceOf(2, 1);
    const plain = frames.of(slice);
    expect(frames.traced(slice)).toBe(frames.traced(slice));
    expect(frames.of(slice)).toBe(plain);
  });

  it('has times for as many entries as fit into a frame, and all entries', () => {
    const slice = sliceOf(3_000, 60);
    const [frame = ''] = new Frames('r').traced(slice);
    const { events } = JSON.parse(frame);
    expect(events).toHaveLength(slice.entries.length);
    expect(frame.length).toBeLessThanOrEqual(MAX_FRAME_CHARACTERS);
    expect(frame.length).toBeGreaterThan(MAX_FRAME_CHARACTERS - 100);
    expect(events[0].times).toEqual([1_700_000_000_000, ...Object.values(batchTimes)]);
    expect(events.at(-1).times).toBeUndefined();
  });
});
