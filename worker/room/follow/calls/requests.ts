/**
 * Calls between objects as HTTP requests, because in workerd only a request can be given up: a method
 * call keeps both objects awake until it is answered. The texts of entries travel as they are, behind
 * the JSON of the rest, because to escape and to read each of their quotes costs eight times more.
 */
import { versionHeader } from '../../../version.ts';
import type {
  CarriedLog,
  FollowAnswer,
  FollowCall,
  Objects,
  PushAnswer,
  PushCall,
} from './objects.ts';

/** It joins the JSON and the texts: control characters occur nowhere in them, except those of `entry.ts`. */
const GROUP_SEPARATOR = '\u001d';
const ORIGIN = 'https://object';
const FOLLOW_PATH = '/follow';
const PUSH_PATH = '/push';

/** What the other object is asked by. */
interface Fetcher {
  fetch(url: string, init: RequestInit): Promise<Response>;
}

/** What answers the calls of other objects. */
export interface Answering {
  follow(call: FollowCall): FollowAnswer;
  push(call: PushCall): PushAnswer;
}

/**
 * @param object the way to an object, by its name.
 * @param version the newest version of the Worker that is known here.
 */
export function objectsOver(
  object: (name: string) => Fetcher,
  version: () => number | undefined,
): Objects {
  const ask = async (name: string, path: string, body: string, signal: AbortSignal) => {
    const request = { method: 'POST', headers: versionHeader(version()), body, signal };
    const response = await object(name).fetch(`${ORIGIN}${path}`, request);
    return response.text();
  };
  return {
    follow: async (upstream, call, signal) =>
      decodeFollowAnswer(await ask(upstream, FOLLOW_PATH, JSON.stringify(call), signal)),
    push: async (follower, call, signal) =>
      JSON.parse(await ask(follower, PUSH_PATH, encodePush(call), signal)),
  };
}

/** Answers a call of another object; undefined when the request is none. */
export async function answerObject(
  request: Request,
  answering: Answering,
): Promise<Response | undefined> {
  const { pathname } = new URL(request.url);
  if (pathname !== FOLLOW_PATH && pathname !== PUSH_PATH) return undefined;
  // A caller that has ended or given up in the middle of its call waits for no answer.
  const body = await request.text().catch(() => undefined);
  if (body === undefined) return new Response(null, { status: 400 });
  return pathname === FOLLOW_PATH
    ? new Response(encodeFollowAnswer(answering.follow(JSON.parse(body))))
    : Response.json(answering.push(decodePush(body)));
}

function encodePush({ content, ...call }: PushCall): string {
  if (content.kind === 'log') return join({ ...call, log: headOf(content.log) }, content.log.parts);
  const { epoch, after, entries } = content;
  return join({ ...call, epoch, after }, [entries]);
}

function decodePush(body: string): PushCall {
  const [head, texts] = split(body);
  const { log, epoch, after, ...call } = head;
  const [entries = ''] = texts;
  return log === undefined
    ? { ...call, content: { kind: 'entries', epoch, after, entries } }
    : { ...call, content: { kind: 'log', log: { ...log, parts: texts } } };
}

function encodeFollowAnswer(answer: FollowAnswer): string {
  if (answer.kind !== 'followed' || answer.log === undefined) return join(answer, []);
  return join({ kind: answer.kind, log: headOf(answer.log) }, answer.log.parts);
}

function decodeFollowAnswer(body: string): FollowAnswer {
  const [head, parts] = split(body);
  return head.log === undefined ? head : { kind: head.kind, log: { ...head.log, parts } };
}

function headOf({ parts, ...head }: CarriedLog): Omit<CarriedLog, 'parts'> {
  return head;
}

function join(head: object, texts: readonly string[]): string {
  return [JSON.stringify(head), ...texts].join(GROUP_SEPARATOR);
}

/** The other side is this very code, and the compiler cannot see what it wrote. */
// biome-ignore lint/suspicious/noExplicitAny: see above.
function split(body: string): [any, string[]] {
  const [head = '', ...texts] = body.split(GROUP_SEPARATOR);
  return [JSON.parse(head), texts];
}
