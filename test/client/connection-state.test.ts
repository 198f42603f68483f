import { describe, expect, it } from 'vitest';
import {
  type ConnectionEvent,
  type ConnectionState,
  type EventKind,
  type StateKind,
  transition,
} from '../../worker/client/connection/connection-state.ts';

const common = { online: true, failures: 2, floorMs: 0 };
const STATES: Record<StateKind, ConnectionState> = {
  idle: { state: 'idle', ...common },
  authorizing: { state: 'authorizing', ...common },
  connecting: { state: 'connecting', ...common },
  asking: { state: 'asking', ...common },
  open: { state: 'open', ...common },
  waiting: { state: 'waiting', reason: 'why', retryInMs: 1, ...common },
  offline: { state: 'offline', reason: 'why', ...common, online: false },
  stopped: { state: 'stopped', code: 'room_forbidden', reason: 'why', ...common },
};
const EVENTS: Record<EventKind, ConnectionEvent> = {
  start: ['start'],
  close: ['close'],
  token: ['token'],
  opened: ['opened'],
  steady: ['steady'],
  ended: ['ended', { reason: 'closed' }],
  failed: ['failed', { reason: 'silent' }],
  due: ['due'],
  shutdown: ['shutdown', { reason: '', floorMs: 5_000 }],
  online: ['online'],
  offline: ['offline'],
  wake: ['wake'],
};

/** `-`: the very same state; a kind: that state; the state's own kind: changed within. */
const EXPECTED: Record<StateKind, Record<EventKind, StateKind | '-'>> = {
  idle: {
    start: 'authorizing',
    failed: '-',
    close: 'stopped',
    token: '-',
    opened: '-',
    steady: '-',
    ended: '-',
    due: '-',
    shutdown: '-',
    online: 'idle',
    offline: 'idle',
    wake: '-',
  },
  authorizing: {
    start: '-',
    failed: 'waiting',
    close: 'stopped',
    token: 'connecting',
    opened: '-',
    steady: '-',
    ended: 'waiting',
    due: '-',
    shutdown: '-',
    online: 'authorizing',
    offline: 'authorizing',
    wake: '-',
  },
  connecting: {
    start: '-',
    failed: 'waiting',
    close: 'stopped',
    token: '-',
    opened: 'open',
    steady: '-',
    ended: 'asking',
    due: '-',
    shutdown: '-',
    online: 'connecting',
    offline: 'connecting',
    wake: '-',
  },
  asking: {
    start: '-',
    failed: 'waiting',
    close: 'stopped',
    token: '-',
    opened: '-',
    steady: '-',
    ended: 'waiting',
    due: '-',
    shutdown: '-',
    online: 'asking',
    offline: 'asking',
    wake: '-',
  },
  open: {
    start: '-',
    failed: 'waiting',
    close: 'stopped',
    token: '-',
    opened: '-',
    steady: 'open',
    ended: 'waiting',
    due: '-',
    shutdown: 'open',
    online: 'open',
    offline: 'open',
    wake: '-',
  },
  waiting: {
    start: '-',
    failed: '-',
    close: 'stopped',
    token: '-',
    opened: '-',
    steady: '-',
    ended: '-',
    due: 'authorizing',
    shutdown: '-',
    online: 'authorizing',
    offline: 'offline',
    wake: 'authorizing',
  },
  offline: {
    start: '-',
    failed: '-',
    close: 'stopped',
    token: '-',
    opened: '-',
    steady: '-',
    ended: '-',
    due: 'authorizing',
    shutdown: '-',
    online: 'authorizing',
    offline: 'offline',
    wake: 'authorizing',
  },
  stopped: {
    start: '-',
    failed: '-',
    close: '-',
    token: '-',
    opened: '-',
    steady: '-',
    ended: '-',
    due: '-',
    shutdown: '-',
    online: '-',
    offline: '-',
    wake: '-',
  },
};

const kinds = <Kind extends string>(record: Record<Kind, unknown>) => Object.keys(record) as Kind[];
const FATAL = { code: 'room_forbidden', reason: 'refused' };

describe.each(kinds(STATES))('in state %s', (state) => {
  it.each(kinds(EVENTS))('the event %s', (event) => {
    const next = transition(STATES[state], ...EVENTS[event]);
    const expected = EXPECTED[state][event];
    if (expected === '-') expect(next).toBe(STATES[state]);
    else expect(next.state).toBe(expected);
  });

  it('the network may go at any time, and is remembered until it is back', () => {
    const gone = transition(STATES[state], ...EVENTS.offline);
    if (state === 'stopped') return;
    expect(gone.online).toBe(false);
    expect(transition(gone, ...EVENTS.online).online).toBe(true);
  });
});

const ENDINGS = ['ended', 'failed'] as const;
const ENDABLE: readonly StateKind[] = ['authorizing', 'connecting', 'asking', 'open'];

describe.each(kinds(STATES))('an ending in state %s', (state) => {
  it.each(ENDINGS)('as %s for good stops, if it means anything there', (kind) => {
    const means = ENDABLE.includes(state) || state === 'stopped';
    const next = transition(STATES[state], kind, FATAL);
    expect(next.state).toBe(means ? 'stopped' : state);
  });

  it.each(ENDINGS)('as %s without a network goes offline, and costs no attempt', (kind) => {
    if (!ENDABLE.includes(state)) return;
    const offline = transition(STATES[state], ...EVENTS.offline);
    const next = transition(offline, kind, { reason: 'lost' });
    expect(next).toEqual({ ...STATES.offline, reason: 'lost' });
  });
});

describe('the transitions, beside the table', () => {
  it('a start without a network waits for one', () => {
    expect(transition({ ...STATES.idle, online: false }, ...EVENTS.start).state).toBe('offline');
  });

  it('only a steady connection forgets the failures', () => {
    const opened = transition(STATES.connecting, ...EVENTS.opened);
    expect(opened.failures).toBe(2);
    expect(transition(opened, ...EVENTS.ended).failures).toBe(3);
    const steady = transition(opened, ...EVENTS.steady);
    expect(transition(steady, ...EVENTS.ended).failures).toBe(1);
  });

  it('a wait that the gateway named is not cut short', () => {
    const told = transition(STATES.open, ...EVENTS.shutdown);
    const waiting = transition(told, ...EVENTS.ended);
    expect(waiting).toMatchObject({ state: 'waiting', floorMs: 5_000 });
    expect(transition(waiting, ...EVENTS.wake)).toBe(waiting);
    expect(transition(waiting, ...EVENTS.online).state).toBe('waiting');
    expect(transition(waiting, ...EVENTS.due).state).toBe('authorizing');
  });
});
