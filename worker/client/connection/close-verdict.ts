/** What the end of a connection means: whether to come back. */
import type { Ending } from './connection-state.ts';
import type { Answer, Platform } from './platform.ts';
import { isObject } from './wire.ts';

/** As CLOSE_CODES has them. All others, 1006 and 1012 among them, are no reason to stay away. */
const FINAL_CLOSES: Readonly<Record<number, string>> = {
  4400: 'message_invalid',
  4401: 'token_expired',
};

export function endingOfClose(close: number, why: string): Ending {
  const reason = `closed (${close}${why && `, ${why}`})`;
  const code = FINAL_CLOSES[close];
  return code ? { reason, code } : { reason };
}

/** A WebSocket does not tell why its upgrade was refused; a plain request to the same place does. */
export async function askWhy(
  socketUrl: URL,
  token: string,
  { fetch }: Platform,
  signal: AbortSignal,
): Promise<Ending> {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  let answer: Answer;
  let body: unknown;
  try {
    answer = await fetch(socketUrl.href.replace(/^ws/, 'http'), { headers, signal });
    body = await answer.json();
  } catch {
    return { reason: 'no answer' };
  }
  const { status } = answer;
  const floorMs = (Number(answer.headers.get('retry-after')) || 0) * 1000;
  // What is not the gateway's word, a proxy's page for one, is an outage.
  if (!isObject(body) || !isObject(body.error)) return { reason: `answered ${status}`, floorMs };
  const code = String(body.error.code);
  const reason = `refused (${code}: ${body.error.message})`;
  return isFinal(status) ? { reason, code } : { reason, floorMs };
}

/**
 * As HTTP_ERRORS has it, which would be a tenth of the client's size; and so codes that are newer
 * than the client are understood. Being told to upgrade (426) means that all would be well by now.
 */
export function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 426 && status !== 429;
}
