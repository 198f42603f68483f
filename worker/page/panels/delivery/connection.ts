/** Whether the page is connected: in words, and since when. */
import type { ConnectionStatus } from '../../../client/index.ts';
import type { Delivery } from '../../delivery/delivery.ts';
import type { Network } from '../../gateway/network.ts';
import { panel, setData, setText, value } from '../../view/dom.ts';
import { every, type Panel } from '../../view/frame-loop.ts';

/** How often the state is looked at, ms. */
const LOOK_MS = 100;
const NAMES: Readonly<Record<ConnectionStatus['state'], string>> = {
  idle: 'Starting',
  authorizing: 'Signing in',
  connecting: 'Connecting',
  asking: 'Asking why',
  open: 'Connected',
  waiting: 'Reconnecting',
  offline: 'Offline',
  stopped: 'Refused',
};

export function connectionPanel(delivery: Delivery, network: Network): Panel {
  const root = panel('connection');
  return every(LOOK_MS, () => {
    const { status, statusAge } = delivery;
    setData(root, 'state', status.state);
    setText(value('connection'), network.isCut ? 'Network cut' : NAMES[status.state]);
    setText(value('connection-detail'), detailOf(status, statusAge, network.isCut));
  });
}

/** It changes rarely, because it is read aloud. */
function detailOf(
  { state, retryInMs = 0, reason = '' }: ConnectionStatus,
  age: number,
  isCut: boolean,
): string {
  if (isCut) return 'by you';
  if (state === 'waiting') return `in ${Math.max(0, Math.ceil((retryInMs - age) / 1_000))} s`;
  if (state === 'stopped') return reason;
  return '';
}
