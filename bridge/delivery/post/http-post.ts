/**
 * POSTs over a kept-alive connection, with node:http. It costs a third of the CPU of the global `fetch`,
 * whose web streams are of no use here, and it keeps undici out of the dependencies.
 */
import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import type { HttpAnswer } from './answer.ts';

/** One POST. It rejects when no whole answer came. */
export type Post = (
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<HttpAnswer>;

/** An answer names at most 500 rejections of some 200 bytes. */
const MAX_ANSWER_BYTES = 1024 * 1024;
/** The Worker answers in milliseconds, or in a second or two for a cold room. After this it hangs. */
const ANSWER_TIMEOUT_MS = 30_000;
/** Shorter than the idle limits of proxies that are known to stand in between (60 s and more). */
const IDLE_SOCKET_MS = 30_000;

/** A `Post` to one URL. `close` drops its idle connections. */
export function httpPost(
  url: URL,
  timeoutMs = ANSWER_TIMEOUT_MS,
): { post: Post; close: () => void } {
  const secure = url.protocol === 'https:';
  const options = { keepAlive: true, timeout: IDLE_SOCKET_MS };
  const agent = secure ? new HttpsAgent(options) : new HttpAgent(options);
  const request = secure ? requestHttps : requestHttp;
  const target = urlToHttpOptions(url);

  const post: Post = (body, headers, signal) =>
    new Promise((resolve, reject) => {
      const outgoing = request({
        ...target,
        agent,
        signal,
        method: 'POST',
        headers: { ...headers, 'content-length': body.length },
      });
      // This is a plain timer, because the socket's own timeout would begin anew with every byte.
      const timer = setTimeout(() => outgoing.destroy(new Error('no answer in time')), timeoutMs);
      const fail = (error: Error) => {
        clearTimeout(timer);
        reject(error);
      };
      outgoing.on('error', fail);
      // Nobody asked for another protocol. Node reports such an answer by this event only.
      outgoing.on('upgrade', ({ statusCode = 0 }, socket) => {
        socket.destroy();
        clearTimeout(timer);
        resolve({ status: statusCode, retryAfter: undefined, body: '' });
      });
      outgoing.on('response', (incoming) => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_ANSWER_BYTES) outgoing.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        incoming.on('error', fail);
        incoming.on('end', () => {
          clearTimeout(timer);
          resolve({
            status: incoming.statusCode ?? 0,
            retryAfter: incoming.headers['retry-after'],
            body: Buffer.concat(chunks).toString('utf8'),
          });
        });
      });
      outgoing.end(body);
    });

  return { post, close: () => agent.destroy() };
}
