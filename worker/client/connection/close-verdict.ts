/** Whether to come back after a connection has ended. */
import type { Ending } from './connection-state.ts';
import type { Answer, Platform } from './platform.ts';

/** The codes of CLOSE_CODES that are final. After all others, and after 1006, the client comes back. */
const FINAL_CLOSES = ['message_invalid', 'token_expired', 'session_too_large'];

export function endingOfClose(close: number, why: string): Ending {
  const reason = `closed (${close}${why && `, ${why}`})`;
  // The gateway says its code as the reason; the numbers are those of other systems, too.
  return FINAL_CLOSES.includes(why) ? { reason, code: why } : { reason };
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
  const floorMs = waitOf(answer.headers.get('retry-after') ?? '', now());
  const body = (await answer.json().catch(() => undefined)) as Refusal | null | undefined;
  const { code, retry, message } = body?.error ?? {};
  if (typeof code !== 'string' || typeof retry !== 'boolean') {
    return { reason: `answered ${status}`, floorMs };
  }
  // The gateway would have us: by now all is well, or something on the way spoils the upgrade.
  if (status === UPGRADE_REQUIRED) return { reason: 'the upgrade was lost', isAdmitted: true };
  const reason = `refused (${code}: ${message})`;
  return retry ? { reason, floorMs } : { reason, code };
}

const UPGRADE_REQUIRED = 426;

/** What the gateway answers, and others may answer as well. */
interface Refusal {
  readonly error?: {
    readonly code?: unknown;
    readonly retry?: unknown;
    readonly message?: unknown;
  };
}

/** How long to wait, ms: `Retry-After` has seconds or a date; of several that were joined, the first. */
function waitOf(retryAfter: string, now: number): number {
  const [seconds] = retryAfter.split(',');
  const date = /.+?GMT/.exec(retryAfter)?.[0] ?? '';
  return Math.max(0, Number(seconds) * 1000 || Date.parse(date) - now || 0);
}
