/**
 * Which relay a client is sent to. Relays of a region are numbered from 0, and as many are in use as
 * are needed: their number doubles, and those that the last doubling added are filled before the next.
 * So many clients that find one relay full at once double it once, and relays that stay full do not
 * double it again and again. A client that was at a relay before comes back to it by its home, which
 * only the gateway can write, so that nobody makes objects by asking for them.
 */
import { encodeBase64Url } from 'hono/utils/encode';
import { type Config, regionOf } from './config.ts';
import type { Env } from './env.ts';
import { RELAY } from './protocol/rooms.ts';
import { type Branch, nameOfBranch } from './room/follow/branches.ts';

/** The most relays of a region. */
export const MOST_RELAYS = 4_096;
/**
 * How many relays are tried before a client is refused. An isolate that is new knows of one relay, and so
 * many doublings lead from there to the most.
 */
export const MOST_TRIES = 1 + Math.log2(MOST_RELAYS);
/** How long after a relay was found full it is assumed that fewer will do, in ms. */
const WIDTH_LASTS = 300_000;
/** For how many days a home is honoured. */
const HOME_LASTS = 2;
const DAY = 86_400_000;
/** How much of a MAC is written: as much as nobody can guess. */
const MAC_BYTES = 16;

interface Width {
  relays: number;
  knownAt: number;
}

/** What this isolate knows of each region. */
const widths = new Map<string, Width>();

/** The region of a client, by where its request came in; the rooms' own if that is not known. */
export function regionOfClient(env: Env, request: Request): string {
  const { continent, longitude } = request.cf ?? {};
  const west = Number(longitude);
  switch (continent) {
    case 'NA':
      return west < -100 ? 'wnam' : 'enam';
    case 'SA':
      return 'sam';
    case 'EU':
      return west > 20 ? 'eeur' : 'weur';
    case 'AS':
      return west < 60 ? 'me' : 'apac';
    case 'OC':
      return 'oc';
    case 'AF':
      return 'afr';
    default:
      return regionOf(env);
  }
}

/**
 * The network that a client's address belongs to. Whoever has one address of IPv6 has all of its first
 * 64 bits.
 */
export function networkOf(address: string | undefined): string | undefined {
  if (address === undefined || !address.includes(':')) return address;
  const [before = [], after = []] = address
    .toLowerCase()
    .split('::')
    .map((half) => half.split(':'));
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':');
}

/** A relay that may have space; with `among` `newest`, one of those that were added last. */
export function chooseRelay(region: string, among: 'all' | 'newest', now: number): Branch {
  const width = widths.get(region);
  if (width !== undefined && now - width.knownAt > WIDTH_LASTS) {
    width.relays = Math.max(1, width.relays / 2);
    width.knownAt = now;
  }
  const relays = width?.relays ?? 1;
  const first = among === 'all' ? 0 : newestOf(relays);
  return { region, number: first + Math.floor(Math.random() * (relays - first)) };
}

/** A relay was full. There are at least so many, and more if it is one of those that were added last. */
export function noteFull({ region, number }: Branch, now: number): void {
  let relays = widths.get(region)?.relays ?? 1;
  if (number < relays) {
    if (number >= newestOf(relays)) relays *= 2;
  } else {
    while (relays <= number) relays *= 2;
  }
  widths.set(region, { relays: Math.min(MOST_RELAYS, relays), knownAt: now });
}

/** The first of those that the last doubling has added. */
function newestOf(relays: number): number {
  return Math.floor(relays / 2);
}

export function nameOfRelay(relay: Branch): string {
  return nameOfBranch(RELAY, relay);
}

/** The path by which a client comes back to a relay. */
export async function homeOf(config: Config, relay: Branch, now: number): Promise<string> {
  const day = Math.floor(now / DAY);
  const { region, number } = relay;
  return `/v1/ws?home=${region}.${number}.${day}.${await macOf(config, relay, day)}`;
}

/** The relay that a home names; undefined when the gateway has not written it, or not lately. */
export async function readHome(
  config: Config,
  home: string,
  now: number,
): Promise<Branch | undefined> {
  const match = /^([a-z-]{1,10})\.([0-9]{1,4})\.([0-9]{1,6})\.([0-9A-Za-z_-]{22})$/.exec(home);
  if (match === null) return undefined;
  const [, region = '', number = '', dayText = '', mac] = match;
  const relay = { region, number: Number(number) };
  const day = Number(dayText);
  const age = Math.floor(now / DAY) - day;
  if (age < 0 || age > HOME_LASTS) return undefined;
  return (await macOf(config, relay, day)) === mac ? relay : undefined;
}

async function macOf({ homeKey }: Config, relay: Branch, day: number): Promise<string> {
  const text = new TextEncoder().encode(`${nameOfRelay(relay)} ${day}`);
  const mac = await crypto.subtle.sign('HMAC', homeKey, text);
  return encodeBase64Url(mac.slice(0, MAC_BYTES)).replaceAll('=', '');
}
