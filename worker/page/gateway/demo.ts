/** What the local stack does for the page. A deployed gateway answers that there is nothing of it. */

export interface Demo {
  /** Whose portfolio is shown; undefined where nobody is signed in. */
  readonly user?: string;
  readonly token?: string;
  /** Whether an alert can be sent to everyone. */
  readonly alerts?: boolean;
}

export async function loadDemo(): Promise<Demo> {
  try {
    const answer = await fetch('/page/demo');
    return answer.ok ? await answer.json() : {};
  } catch {
    return {};
  }
}

/** Sends an alert to everyone. @throws with what to do when it cannot. */
export async function sendAlert(): Promise<string> {
  const answer = await fetch('/page/demo/alerts', { method: 'POST' });
  const body: { alertId?: string; error?: { message?: string } } = await answer.json();
  if (body.alertId === undefined) throw new Error(body.error?.message ?? `answer ${answer.status}`);
  return body.alertId;
}
