/**
 * A page that a test tells what to show: rooms by name, under StrictMode. It notes what each component
 * was rendered with and in which frame, what its handlers heard, and what its sockets have sent.
 */
import { Activity, type ReactNode, StrictMode, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import {
  type Gap,
  GatewayClient,
  type GatewayEvent,
  type MaxRate,
} from '../../../worker/client/index.ts';
import {
  GatewayProvider,
  type RoomState,
  useGatewayStatus,
  useLatest,
  useRoom,
} from '../../../worker/client/react/index.ts';

export interface Shown {
  readonly room: string | null;
  readonly keep?: number;
  readonly maxRate?: MaxRate;
  readonly since?: string;
  readonly isHidden?: boolean;
}

/** A commit of a component. */
export interface Commit {
  readonly frame: number;
  readonly room: string | null;
  readonly state: RoomState<GatewayEvent>;
}

/** What is known of one component. */
export interface Notes {
  readonly commits: Commit[];
  readonly heard: string[];
  readonly gaps: Gap[];
}

const { searchParams } = new URL(location.href);
const sockets: WebSocket[] = [];
const sent: string[] = [];
const errors: string[] = [];
const notes: Record<string, Notes> = {};
const latest: unknown[] = [];
let frame = 0;

class NotedWebSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols);
    sockets.push(this);
  }

  override send(text: string): void {
    sent.push(text);
    super.send(text);
  }
}

const client = new GatewayClient({
  url: searchParams.get('gateway') ?? '',
  transport: searchParams.get('transport') === 'room' ? 'room' : 'relay',
  WebSocket: NotedWebSocket,
});
client.on('error', ({ code }) => errors.push(code));

function notesOf(name: string): Notes {
  notes[name] ??= { commits: [], heard: [], gaps: [] };
  return notes[name];
}

function Room({ name, shown }: { readonly name: string; readonly shown: Shown }): ReactNode {
  const { room, isHidden: _, ...options } = shown;
  const { commits, heard, gaps } = notesOf(name);
  const state = useRoom(room, {
    ...options,
    onEvent: (_, { epoch, seq }) => heard.push(`${epoch}:${seq}`),
    onGap: (gap) => gaps.push(gap),
  });
  useEffect(() => {
    commits.push({ frame, room, state });
  });
  return <p data-name={name}>{state.status.state}</p>;
}

function Latest({ room }: { readonly room: string }): ReactNode {
  const event = useLatest(room);
  useEffect(() => {
    latest.push(event);
  });
  return <b>{JSON.stringify(event?.data)}</b>;
}

function Status(): ReactNode {
  return <output>{useGatewayStatus()}</output>;
}

const root = createRoot(document.getElementById('root') ?? document.body);

const page = {
  client,
  sockets,
  sent,
  errors,
  notes,
  latest,
  currentFrame: () => frame,
  /** Shows these rooms and no others, each as a component that stays for as long as its name is there. */
  show(rooms: Readonly<Record<string, Shown>>, latestOf?: string): void {
    root.render(
      <StrictMode>
        <GatewayProvider client={client}>
          <Status />
          {Object.entries(rooms).map(([name, shown]) => (
            <Activity key={name} mode={shown.isHidden ? 'hidden' : 'visible'}>
              <Room name={name} shown={shown} />
            </Activity>
          ))}
          {latestOf !== undefined && <Latest room={latestOf} />}
        </GatewayProvider>
      </StrictMode>,
    );
  },
  /** Stops the page's one thread until the server answers. */
  block(path: string): void {
    const request = new XMLHttpRequest();
    request.open('GET', path, false);
    request.send();
  },
};

export type Page = typeof page;

declare global {
  interface Window {
    page: Page;
  }
}

window.page = page;
requestAnimationFrame(function count() {
  frame++;
  requestAnimationFrame(count);
});
