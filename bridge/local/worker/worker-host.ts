/**
 * The process that miniflare lives in. It has one of its own because miniflare takes over SIGINT
 * and SIGTERM and ends the process at once, because workerd would die of a terminal's Ctrl-C before
 * the bridge has handed over its last batch, and because wrangler takes seconds to load.
 */
import { runWorkerd, type WorkerdOptions } from './workerd.ts';

/** How long miniflare may take to start workerd again before we give up on it. */
const RESTART_DEADLINE_MS = 10_000;

export type HostMessage =
  | { readonly type: 'ready'; readonly pid: number }
  | { readonly type: 'died'; readonly how: string }
  | { readonly type: 'log'; readonly line: string }
  | { readonly type: 'failed'; readonly message: string };

const report = (message: HostMessage) => process.send?.(message);
let restart: NodeJS.Timeout | undefined;

process.once('message', (options) => {
  run(options as WorkerdOptions).catch((error: unknown) => {
    report({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
    process.exitCode = 1;
    process.disconnect();
  });
});

async function run(options: WorkerdOptions): Promise<void> {
  const stop = await runWorkerd(options, {
    onReady: (pid) => {
      clearTimeout(restart);
      report({ type: 'ready', pid });
    },
    onDeath: (how) => {
      report({ type: 'died', how });
      restart = setTimeout(() => process.exit(1), RESTART_DEADLINE_MS);
    },
    onLog: (line) => report({ type: 'log', line }),
  });
  // This stands in place of miniflare's own handler, which would not wait.
  process
    .removeAllListeners('SIGTERM')
    .once('SIGTERM', () => void stop().then(() => process.exit()));
}
