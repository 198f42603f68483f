/** How a room over a relay is doing: what each of its states makes of each event. */
import { describe, expect, it } from 'vitest';
import { settle } from '../support/virtual-clock.ts';
import {
  FakeGateway,
  type FakeSocket,
  snapshot,
  subscribed,
  WELCOME,
} from './support/fake-gateway.ts';

const ROOM = 'user:1';

interface Scene {
  readonly gateway: FakeGateway;
  readonly socket: FakeSocket;
  /** Gives what the `token` function was asked for. */
  readonly giveToken: (token: string) => void;
  readonly state: () => string;
}

const requests = ({ socket }: Scene) => socket.messages.filter(({ type }) => type === 'subscribe');
const lastId = (scene: Scene) => String(requests(scene).at(-1)?.id);
const refuse = (scene: Scene, code: string, id?: string) =>
  scene.socket.say([{ type: 'error', ...(id && { id }), room: ROOM, code, message: 'why' }]);

const EVENTS = {
  answered: (scene) =>
    scene.socket.say([subscribed(ROOM, 5, false, 1, lastId(scene)), snapshot(ROOM, 5, [])]),
  unavailable: (scene) => refuse(scene, 'room_unavailable', lastId(scene)),
  tokenless: (scene) => refuse(scene, 'token_missing', lastId(scene)),
  forbidden: (scene) => refuse(scene, 'room_forbidden', lastId(scene)),
  revoked: (scene) => refuse(scene, 'room_forbidden'),
  /** The answer to a request that was taken back. */
  stale: (scene) => refuse(scene, 'room_forbidden', 'another'),
  token: (scene) => scene.giveToken('token-of-1'),
  due: (scene) => scene.gateway.clock.elapse(1_000),
  lost: (scene) => scene.socket.breakOff(),
} satisfies Record<string, (scene: Scene) => unknown>;
type EventName = keyof typeof EVENTS;

/** What leads to each state, from the request on. */
const STATES = {
  connecting: [],
  open: ['answered'],
  waiting: ['unavailable'],
  authorizing: ['tokenless'],
  stopped: ['forbidden'],
} satisfies Record<string, readonly EventName[]>;
type State = keyof typeof STATES;

/** `-`: no other state. */
const EXPECTED: Record<State, Record<EventName, State | '-'>> = {
  connecting: {
    answered: 'open',
    unavailable: 'waiting',
    tokenless: 'authorizing',
    forbidden: 'stopped',
    revoked: 'stopped',
    stale: '-',
    token: '-',
    due: '-',
    lost: 'waiting',
  },
  open: {
    answered: '-',
    unavailable: 'waiting',
    tokenless: 'authorizing',
    forbidden: 'stopped',
    revoked: 'stopped',
    stale: '-',
    token: '-',
    due: '-',
    lost: 'waiting',
  },
  // Its request was refused: what has the id of that says nothing new.
  waiting: {
    answered: '-',
    unavailable: '-',
    tokenless: '-',
    forbidden: '-',
    revoked: 'stopped',
    stale: '-',
    token: '-',
    due: 'connecting',
    lost: '-',
  },
  authorizing: {
    answered: '-',
    unavailable: '-',
    tokenless: '-',
    forbidden: '-',
    revoked: 'stopped',
    stale: '-',
    token: 'waiting',
    due: '-',
    lost: 'waiting',
  },
  stopped: {
    answered: '-',
    unavailable: '-',
    tokenless: '-',
    forbidden: '-',
    revoked: '-',
    stale: '-',
    token: '-',
    due: '-',
    lost: '-',
  },
};

async function sceneIn(state: State): Promise<Scene> {
  const gateway = new FakeGateway();
  const { promise, resolve } = Promise.withResolvers<string>();
  let asks = 0;
  const client = gateway.client({
    transport: 'relay',
    token: () => (asks++ === 0 ? '' : promise),
  });
  client.on('error', () => {});
  client.subscribe('price:A', { onEvent: () => {} });
  const socket = await gateway.socket();
  socket.open();
  socket.say([WELCOME]);
  await settle();
  const subscription = client.subscribe(ROOM, { onEvent: () => {} });
  await settle();
  const scene: Scene = {
    gateway,
    socket,
    giveToken: resolve,
    state: () => subscription.status.state,
  };
  for (const event of STATES[state]) EVENTS[event](scene);
  expect(scene.state()).toBe(state);
  return scene;
}

const names = <Name extends string>(record: Record<Name, unknown>) => Object.keys(record) as Name[];

describe.each(names(STATES))('a room that is %s', (state) => {
  it.each(names(EVENTS))('and is %s', async (event) => {
    const scene = await sceneIn(state);
    await EVENTS[event](scene);
    await settle();
    const expected = EXPECTED[state][event];
    expect(scene.state()).toBe(expected === '-' ? state : expected);
  });
});
