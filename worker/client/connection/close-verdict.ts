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

/**
 * A WebSocket does not tell why its upgrade was refused; a plain request to the same place does. Only
 * the gateway's own word, which says whether to try again, is final: everything else is an outage,
 * such as the page of a proxy, a firewall or another system that stands in front of it.
 */
export async function askWhy(
  socketUrl: URL,
  token: string,
  { fetch, now }: Platform,
  signal: AbortSignal,
): Promise<Ending> {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  let answer: Answer;
  try {
    answer = await fetch(socketUrl.href.replace(/^ws/, 'http'), { headers, signal });
  } catch {
    return { reason: 'no answer' };
  }
  const { status } = answer;
  const floorMs = waitOf(answer.headers.get('retry-after'), now());
  const body = await answer.json().catch(() => undefined);
  const error = isObject(body) && isObject(body.error) ? body.error : {};
  if (typeof error.retry !== 'boolean') return { reason: `answered ${status}`, floorMs };
  // The gateway would have us: by now all is well, or something on the way spoils the upgrade.
  if (status === UPGRADE_REQUIRED) return { reason: 'the upgrade was lost', isAdmitted: true };
  const code = String(error.code);
  const reason = `refused (${code}: ${error.message})`;
  return error.retry ? { reason, floorMs } : { reason, code };
}

const UPGRADE_REQUIRED = 426;

/** How long to wait, ms: `Retry-After` gives seconds or a date. */
function waitOf(retryAfter: string | null, now: number): number {
  if (!retryAfter) return 0;
  const seconds = Number(retryAfter);
  return Math.max(0, Number.isNaN(seconds) ? Date.parse(retryAfter) - now || 0 : seconds * 1000);
}
