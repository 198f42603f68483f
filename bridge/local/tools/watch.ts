/** `npm run watch -- ROOM …`: prints what arrives in rooms, over one WebSocket. */
import { parseArgs } from 'node:util';
import { ConfigError, port } from '../../../worker/protocol/environment/variables.ts';
import { DEFAULT_PORT } from '../config.ts';
import { hintFor } from './hints.ts';
import type { ReceivedFrame } from './received-frame.ts';
import { watchRooms } from './watched-rooms.ts';

const USAGE = `usage: npm run watch -- ROOM … [--url ws://HOST:PORT] [--json]

Rooms are price:BTC-USDC, orderbook:…, trade:…, price_updates, system; with a token in TOKEN also
user:… and the token's own rooms. Alerts to everyone (of system) are printed as well.
--url     ws://localhost:PORT unless given, PORT being ${DEFAULT_PORT} by default
--json    prints the frames as they come, instead of a line for each event`;

const NO_ADDRESS = '--url is an address such as ws://localhost:3007 or wss://gateway.example.com.';
/** Three parts in base64url: https://www.rfc-editor.org/rfc/rfc7519#section-3.1 */
const TOKEN_PATTERN = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const { values, positionals: rooms } = readArguments();
const url = readUrl(values.url);
const token = readToken();
const given = new Set<string>();
// A pipe that has had enough, such as `| head`, ends us quietly.
process.stdout.on('error', () => process.exit());
process.once('SIGINT', () => process.exit());

if (values.help || rooms.length === 0) {
  console.error(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  const onNote = (room: string, note: string) => {
    console.error(`${room}  ${note}`);
    const hint = hintFor(note);
    if (hint === undefined || given.has(hint)) return;
    given.add(hint);
    console.error(`  ${hint}`);
  };
  const onFrame = (frame: ReceivedFrame) => {
    for (const line of values.json ? [frame.text] : linesOf(frame)) console.log(line);
  };
  await watchRooms({ url, rooms, token, onNote, onFrame }, new AbortController().signal);
  // No room is left.
  process.exitCode = 1;
}

/** A line for each event; anything else as it is. */
function linesOf({ text, type, room, events }: ReceivedFrame): string[] {
  if (type !== 'events' && type !== 'snapshot') return [text];
  return events.map(
    (event) => `${room}  ${type === 'snapshot' ? '=' : '#'}${event.seq}  ${oneLine(event.text)}`,
  );
}

/** Raw line ends stand between JSON's tokens only, never inside a string. */
function oneLine(json: string): string {
  return json.replaceAll(/\s*[\r\n]\s*/g, ' ');
}

function readUrl(given: string | undefined): string {
  try {
    const address = given ?? `ws://localhost:${port(process.env, 'PORT', DEFAULT_PORT)}`;
    const { protocol } = new URL(address);
    if (['ws:', 'wss:', 'http:', 'https:'].includes(protocol)) return address;
    console.error(NO_ADDRESS);
  } catch (error) {
    console.error(error instanceof ConfigError ? error.message : NO_ADDRESS);
  }
  process.exit(2);
}

function readToken(): string | undefined {
  const token = process.env.TOKEN || undefined;
  if (token === undefined || TOKEN_PATTERN.test(token)) return token;
  console.error(`TOKEN is no token: set it to the one that \`npm start\` has printed.`);
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { url: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
    });
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exit(2);
  }
}
