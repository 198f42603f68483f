/** Questions to the gateway that leave nothing behind. */
import { type KeyObject, randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import * as v from 'valibot';
import { judge, type Verdict } from '../delivery/answer.ts';
import { httpPost } from '../delivery/http-post.ts';
import { unanswered } from '../delivery/sender.ts';
import { sign } from '../delivery/signer.ts';
import { readText } from '../publisher/http/read-text.ts';
import { causesOf } from '../shared/error-causes.ts';

export type Refusal = Verdict & { readonly kind: 'retry' };

/**
 * A batch of the bridge with one record that no gateway takes: its topic is none, and its value is no
 * event. A gateway that knows the secret as a bridge's rejects the record, and calls no room.
 */
const REFUSED_RECORD = { topic: 'doctor', partition: 0, offset: 0, timestamp: 0, value: null };
const BODY = Buffer.from(JSON.stringify({ source: 'doctor', records: [REFUSED_RECORD] }));
const RECORDS = 1;

/** What `fetch` says of an answer that is no HTTP. It has no code. */
const FETCH_PARSER_ERROR = 'HTTPParserError';

/** Other servers have a /health as well, and the bridge itself. A gateway's names its protocol. */
const healthSchema = v.object({ status: v.literal('ok'), protocol: v.number() });

/** POSTs that batch. Undefined when the gateway has verified and read it. */
export async function probe(
  url: URL,
  keys: readonly KeyObject[],
  nowMs: number,
  patienceMs: number,
): Promise<Refusal | undefined> {
  const { post, close } = httpPost(url, patienceMs);
  try {
    const signature = sign(keys, randomUUID(), BODY, Math.floor(nowMs / 1000));
    const headers = { 'content-type': 'application/json', ...signature };
    return refusalOf(
      judge(await post(BODY, headers, new AbortController().signal), RECORDS, nowMs),
    );
  } catch (error) {
    return unanswered(error);
  } finally {
    close();
  }
}

function refusalOf(verdict: Verdict): Refusal | undefined {
  switch (verdict.kind) {
    case 'retry':
      return verdict;
    case 'accepted':
      if (verdict.rejected.length === RECORDS) return undefined;
      return { kind: 'retry', reason: 'answer_unreadable' };
    case 'malformed':
      return { kind: 'retry', reason: 'batch_malformed', message: verdict.message };
    case 'too_large':
      return { kind: 'retry', reason: 'answer_unreadable' };
  }
}

/** What `/health` answers beside the events' path. */
export async function askHealth(
  eventsUrl: URL,
  patienceMs: number,
): Promise<Refusal | { readonly kind: 'healthy'; readonly protocol: number }> {
  try {
    await reach(eventsUrl, patienceMs);
    const url = new URL('../health', eventsUrl);
    const { username, password } = url;
    url.username = '';
    url.password = '';
    const signal = AbortSignal.timeout(patienceMs);
    const authorization =
      username === '' ? {} : { authorization: `Basic ${btoa(`${username}:${password}`)}` };
    const response = await fetch(url, { signal, redirect: 'manual', headers: authorization });
    const body = await readText(response);
    if (response.status !== 200) {
      const answer = { status: response.status, retryAfter: undefined, body };
      return refusalOf(judge(answer, 0, 0)) ?? { kind: 'retry', reason: 'answer_unreadable' };
    }
    const { success, output } = v.safeParse(v.pipe(v.string(), v.parseJson(), healthSchema), body);
    return success
      ? { kind: 'healthy', protocol: output.protocol }
      : { kind: 'retry', reason: 'answer_unreadable' };
  } catch (error) {
    const isNoHttp = [...causesOf(error)].some(({ name }) => name === FETCH_PARSER_ERROR);
    return isNoHttp ? { kind: 'retry', reason: 'answer_unreadable' } : unanswered(error);
  }
}

/** Resolves when something takes a connection, so that a silent network and a silent server differ. */
async function reach(url: URL, patienceMs: number): Promise<void> {
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const socket = connect({ host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const late = setTimeout(() => {
    const error = new Error(`no connection within ${patienceMs / 1000} s`);
    reject(Object.assign(error, { code: 'ETIMEDOUT' }));
  }, patienceMs);
  socket.once('connect', resolve);
  socket.once('error', reject);
  try {
    await promise;
  } finally {
    clearTimeout(late);
    socket.destroy();
  }
}

/** Without a user and a password, which a URL may have. */
export function shownUrl({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

/** Whether the gateway runs on this machine, as the local stack does. */
export function isLocal({ hostname }: URL): boolean {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** Which of several secrets something is about. */
export function secretSubject(index: number, count: number): { subject?: string } {
  return count === 1 ? {} : { subject: `secret ${index + 1} of ${count}` };
}
