/** Whether to come back after a connection has ended. */
import type { Ending } from './connection-state.ts';
import type { Answer, Platform } from './platform.ts';
import { isObject } from './wire.ts';

/** The codes of CLOSE_CODES that are final. After all others, such as 1006, the client comes back. */
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
  // An answer that is not the gateway's, such as a proxy's page, is an outage.
  if (!isObject(body) || !isObject(body.error)) return { reason: `answered ${status}`, floorMs };
  const code = String(body.error.code);
  const reason = `refused (${code}: ${body.error.message})`;
  return isFinal(status) ? { reason, code } : { reason, floorMs };
}

/**
 * The rule behind HTTP_ERRORS. The table itself would be a tenth of the client's size, and would not
 * know codes that are newer than the client. 426 asks for an upgrade, so by now all would be well.
 */
export function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 426 && status !== 429;
}
