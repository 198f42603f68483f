/**
 * A connection's life as one table: what each state makes of each event. Nothing happens here:
 * `connection.ts` does what a state is for when it is entered, and ends what the state before had
 * begun (its timers, its socket, its request).
 *
 *   idle ────────start──────▶ authorizing
 *   authorizing ─token──────▶ connecting ─opened─▶ open
 *               ─failed─────▶ waiting
 *   connecting ──ended──────▶ asking ─────failed─▶ waiting
 *              ──failed─────▶ waiting
 *   open ────────ended, failed────────▶ waiting
 *   waiting ─────due, online, wake────▶ authorizing
 *           ─────offline────▶ offline
 *   offline ─────online, wake, due────▶ authorizing
 *   any ─────────close──────▶ stopped
 *   any that ends or fails for good ──▶ stopped
 *
 * - What would go to `waiting` goes to `offline` while the browser says that there is no network; so
 *   does a start. A timer looks there now and then, since browsers have been wrong.
 * - `failures` counts the attempts since a connection last was steady: being accepted is not enough,
 *   or a gateway that accepts and drops would be asked without pause.
 * - A wait that the gateway has named is not cut short by `online` or `wake`.
 * - `stopped` is final.
 */

export type StateKind =
  | 'idle'
  | 'authorizing'
  | 'connecting'
  | 'asking'
  | 'open'
  | 'waiting'
  | 'offline'
  | 'stopped';

/** How a connection is doing, or a room over it. */
export interface ConnectionStatus {
  /**
   * `authorizing`: a token is being fetched; `connecting`, and asking for the room; `open`; `asking`: why
   * the gateway refused; `waiting`: to connect or to ask again; `offline`: no network; `stopped`: for
   * good; `idle`: not started.
   */
  readonly state: StateKind;
  /** What the browser says of the network; true elsewhere. */
  readonly online: boolean;
  /** Attempts since a connection last was steady. */
  readonly failures: number;
  /** Why it waits, is offline or has stopped: for people. */
  readonly reason?: string;
  /** Why it has stopped, a code of the gateway's table or `closed`: for programs. */
  readonly code?: string;
  /** How long it waits, ms. */
  readonly retryInMs?: number;
}

export interface ConnectionState extends ConnectionStatus {
  /** How long to stay away at least, ms: as `shutdown` has announced, or a refusal has named. */
  readonly floorMs: number;
}

/** How an attempt or a connection ended: for good, if there is a code. */
export interface Ending {
  readonly reason: string;
  readonly code?: string;
  readonly floorMs?: number;
  /** The gateway would admit the client, but the upgrade does not get through as it is. */
  readonly isAdmitted?: boolean;
}

/** `wake`: the page is looked at again, what timers should have done may not have been done. */
export type BrowserEvent = 'online' | 'offline' | 'wake';

type PlainEvent =
  | 'start'
  /** Nobody wants the connection any more. */
  | 'close'
  /** The token is there, or none is needed. */
  | 'token'
  /** The gateway has said welcome. */
  | 'opened'
  /** It has been open for a while. */
  | 'steady'
  /** The time to wait is over. */
  | 'due'
  | BrowserEvent;

type EndingEvent =
  /** The socket closed. */
  | 'ended'
  /** What the state was for has come to nothing: no token, no answer in time, a refusal. */
  | 'failed'
  /** How the connection is going to end. */
  | 'shutdown';

export type EventKind = PlainEvent | EndingEvent;
export type ConnectionEvent =
  | readonly [event: PlainEvent]
  | readonly [event: EndingEvent, ending: Ending];

export const INITIAL_STATE: ConnectionState = {
  state: 'idle',
  online: true,
  failures: 0,
  floorMs: 0,
};

export function transition(
  state: ConnectionState,
  ...[event, ending = { reason: '' }]: ConnectionEvent
): ConnectionState {
  return TABLE[state.state][event]?.(state, ending) ?? state;
}

type Row = {
  readonly [Event in EventKind]?: (state: ConnectionState, ending: Ending) => ConnectionState;
};

/** The rows that every state shares which is not final. */
const LIVING: Row = {
  close: (state) => conclude(state, { reason: 'the client is closed', code: 'closed' }),
  online: (state) => ({ ...state, online: true }),
  offline: (state) => ({ ...state, online: false }),
};
/** The rows that all states of an attempt share. */
const ACTIVE: Row = { ...LIVING, ended: conclude, failed: conclude };
/** The rows that all states between two attempts share. */
const RESTING: Row = {
  ...LIVING,
  due: attempt,
  online: (state) => hasten({ ...state, online: true }),
  wake: hasten,
};

/** What a row does not name changes nothing there. */
const TABLE: Readonly<Record<StateKind, Row>> = {
  idle: {
    ...LIVING,
    start: (state) => (state.online ? attempt(state) : conclude(state, { reason: 'no network' })),
  },
  authorizing: { ...ACTIVE, token: (state) => ({ ...state, state: 'connecting' }) },
  connecting: {
    ...ACTIVE,
    opened: (state) => ({ ...state, state: 'open' }),
    // A browser does not say why, and without a network there is nobody to ask.
    ended: (state, ending) =>
      state.online && !ending.code ? { ...state, state: 'asking' } : conclude(state, ending),
  },
  asking: ACTIVE,
  // A browser may be wrong about the network: an open socket is asked itself, see `Heartbeat`.
  open: {
    ...ACTIVE,
    steady: (state) => ({ ...state, failures: 0 }),
    shutdown: (state, { floorMs = 0 }) => ({ ...state, floorMs }),
  },
  waiting: {
    ...RESTING,
    offline: (state) => ({ ...state, online: false, state: 'offline', floorMs: 0 }),
  },
  offline: RESTING,
  stopped: {},
};

function attempt({ online, failures }: ConnectionState): ConnectionState {
  return { state: 'authorizing', online, failures, floorMs: 0 };
}

function hasten(state: ConnectionState): ConnectionState {
  return state.floorMs > 0 ? state : attempt(state);
}

/** For good, or until another attempt. */
function conclude(
  { online, failures, floorMs: announced }: ConnectionState,
  { reason, code, floorMs = 0 }: Ending,
): ConnectionState {
  const rest = { online, failures, floorMs: 0, reason };
  if (code) return { ...rest, state: 'stopped', code };
  if (!online) return { ...rest, state: 'offline' };
  return {
    ...rest,
    state: 'waiting',
    failures: failures + 1,
    floorMs: Math.max(announced, floorMs),
  };
}
