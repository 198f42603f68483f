/** The events of a browser about the network and the page; elsewhere there are none. */
import type { BrowserEvent } from './connection-state.ts';
import type { Notifier, Surroundings } from './platform.ts';

/** Listens until `signal` aborts. */
export function heed(
  window: Surroundings,
  dispatch: (event: BrowserEvent) => void,
  signal: AbortSignal,
): void {
  const { document } = window;
  const listen = (target: Notifier | undefined, type: string, listener: () => void) =>
    target?.addEventListener?.(type, listener, { signal });
  listen(window, 'online', () => dispatch('online'));
  listen(window, 'offline', () => dispatch('offline'));
  // A page that comes back from the browser's cache.
  listen(window, 'pageshow', () => dispatch('wake'));
  listen(document, 'visibilitychange', () => {
    if (document?.visibilityState === 'visible') dispatch('wake');
  });
}
