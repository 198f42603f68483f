import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_BACKLOG_BYTES,
  MAX_BURST_BYTES,
  MAX_RELAY_BURST_BYTES,
  Output,
} from '../../worker/room/session/output/output.ts';
import { WINDOW_CHARACTERS, Window } from '../../worker/room/session/output/window.ts';
import { PresentTurn } from '../../worker/room/turn.ts';

const FRAME = 'x'.repeat(1024);

/** An output on a socket of which the test says how much waits for the network. */
function outputWith(socket: { bufferedAmount?: number } = {}, turn = new PresentTurn()): Output {
  const silent = { send: () => {}, close: () => {}, serializeAttachment: () => {} };
  return new Output(Object.assign(socket, silent), turn);
}

describe('a session', () => {
  it('that neither acks nor has a backlog can take more', () => {
    const output = outputWith();
    output.sendUpTo('r', 1, ['x'.repeat(10 * WINDOW_CHARACTERS)]);
    expect(output.readiness).toBe('ready');
  });

  it('R8: that acks can take more until its window is full', () => {
    const output = outputWith();
    output.acknowledge('r', 0);
    output.sendUpTo('r', 1, ['x'.repeat(WINDOW_CHARACTERS - 1)]);
    expect(output.readiness).toBe('ready');
    output.sendUpTo('r', 2, ['x']);
    expect(output.readiness).toBe('awaits_ack');
    output.acknowledge('r', 2);
    expect(output.readiness).toBe('ready');
  });

  it('whose backlog is full can take no more, and no ack changes that', () => {
    const output = outputWith({ bufferedAmount: MAX_BACKLOG_BYTES });
    expect(output.readiness).toBe('full');
    output.acknowledge('r', 0);
    expect(output.readiness).toBe('full');
    expect(outputWith({ bufferedAmount: MAX_BACKLOG_BYTES - 1 }).readiness).toBe('ready');
  });

  it('is judged by its backlog before the turn, and by how much the turn has sent', () => {
    const socket = { bufferedAmount: 0 };
    const turn = new PresentTurn();
    const output = outputWith(socket, turn);
    let sent = 0;
    for (; output.readiness === 'ready'; sent += FRAME.length) output.send(FRAME);
    expect(sent).toBe(MAX_BURST_BYTES);
    socket.bufferedAmount = sent;
    turn.number++;
    expect([output.readiness, output.canBeAnswered]).toEqual(['full', false]);
    socket.bufferedAmount = 0;
    turn.number++;
    expect([output.readiness, output.canBeAnswered]).toEqual(['ready', true]);
  });

  it('of a relay is sent less in a turn, and is answered for as long as others', () => {
    const socket = {
      bufferedAmount: 0,
      send: () => {},
      close: () => {},
      serializeAttachment: () => {},
    };
    const turn = new PresentTurn();
    const output = new Output(socket, turn, true);
    let sent = 0;
    for (; output.readiness === 'ready'; sent += FRAME.length) output.send(FRAME);
    expect(sent).toBe(MAX_RELAY_BURST_BYTES);
    socket.bufferedAmount = sent;
    turn.number++;
    expect([output.readiness, output.canBeAnswered]).toEqual(['full', true]);
  });

  it('is asked for its backlog only when the backlog could be full', () => {
    let asked = 0;
    const turn = new PresentTurn();
    const socket = {
      get bufferedAmount() {
        asked++;
        return 0;
      },
      send: () => {},
      close: () => {},
      serializeAttachment: () => {},
    };
    const output = new Output(socket, turn);
    for (; turn.number < 1_000; turn.number++) {
      expect(output.readiness).toBe('ready');
      output.send('x'.repeat(256));
    }
    // A character may be three bytes, so at most 43 of these frames fit into what may wait.
    expect(asked).toBe(1 + Math.floor(1_000 / 43));
  });

  it('whose socket is closing counts as gone, and nothing is thrown', () => {
    const closing = {
      send: () => {
        throw new TypeError('the socket is closing');
      },
    };
    const output = new Output(
      { ...closing, close: () => {}, serializeAttachment: () => {} },
      new PresentTurn(),
    );
    expect([output.send('x'), output.sendUpTo('r', 1, ['x'])]).toEqual([false, false]);
  });
});

describe('what is in flight', () => {
  it('of a room that was numbered anew is freed by its new numbers', () => {
    const window = new Window();
    window.count('r', 82, 10);
    window.count('r', 3, 10);
    window.acknowledge('r', 3);
    expect(window.characters).toBe(0);
  });

  const sizes = fc.array(fc.integer({ min: 1, max: WINDOW_CHARACTERS / 2 }), { maxLength: 60 });

  it('is counted by a few numbers: never as less than it is, and as little more', () => {
    fc.assert(
      fc.property(sizes, fc.nat(60), (frames, acked) => {
        const window = new Window();
        for (const [index, size] of frames.entries()) window.count('r', index + 1, size);
        const total = window.characters;
        expect(window.save().length).toBeLessThanOrEqual((16 * total) / WINDOW_CHARACTERS + 1);
        window.acknowledge('r', acked);
        const truth = frames.slice(acked).reduce((sum, size) => sum + size, 0);
        expect(window.characters).toBeGreaterThanOrEqual(truth);
        // So a client that acks after each half window never waits for one that does not come.
        if (truth > 0) expect(window.characters).toBeLessThan(truth + WINDOW_CHARACTERS / 16);
        else expect(window.characters).toBe(0);
        const restored = new Window();
        restored.restore(window.save());
        expect(restored.characters).toBe(window.characters);
      }),
    );
  });

  it('R8: is freed by an ack of one room as far as it was sent before, in whatever room', () => {
    const frame = fc.record({
      room: fc.constantFrom('a', 'b', 'c'),
      size: fc.integer({ min: 1, max: 40_000 }),
    });
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 40 }), fc.nat(39), (frames, at) => {
        const window = new Window();
        const heads = new Map<string, number>();
        const sent = frames.map(({ room, size }) => {
          const upTo = (heads.get(room) ?? 0) + 1;
          heads.set(room, upTo);
          window.count(room, upTo, size);
          return { room, upTo, size };
        });
        const acked = at % frames.length;
        const { room, upTo } = sent[acked] ?? { room: '', upTo: 0 };
        window.acknowledge(room, upTo);
        const truth = sent.slice(acked + 1).reduce((sum, { size }) => sum + size, 0);
        expect(window.characters).toBeGreaterThanOrEqual(truth);
        // Frames of one room that were counted together are freed together.
        expect(window.characters).toBeLessThan(truth + WINDOW_CHARACTERS / 16);
      }),
    );
  });

  it('of one room is forgotten without touching the others', () => {
    const window = new Window();
    for (const room of ['a', 'b', 'a']) window.count(room, 1, 100);
    window.forget('a');
    expect(window.characters).toBe(100);
    const restored = new Window();
    restored.restore(window.save());
    expect(restored.characters).toBe(100);
    // An ack of the last frame may come all the same, and says that the one before has arrived.
    for (const each of [window, restored]) each.acknowledge('a', 1);
    expect([window.characters, restored.characters]).toEqual([0, 0]);
  });

  it('keeps few counters for rooms that were left', () => {
    const window = new Window();
    window.count('kept', 1, 100);
    for (let room = 0; room < 1_000; room++) {
      window.count(`${room}`, 1, 100);
      window.forget(`${room}`);
    }
    expect(window.characters).toBe(100);
    expect(window.holds('0', 1)).toBe(false);
    expect(window.holds('999', 1)).toBe(true);
    window.acknowledge('999', 1);
    expect(window.characters).toBe(0);
  });
});
