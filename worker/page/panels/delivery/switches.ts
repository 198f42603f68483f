/** Three switches that make things happen, and a sentence that says what to look at. */
import { sendAlert } from '../../gateway/demo.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import type { Network } from '../../gateway/network.ts';
import type { Alerts } from '../../model/alerts.ts';
import { action, setText, value } from '../../view/dom.ts';
import { duration } from '../../view/format.ts';

const STORIES = {
  cut: 'The network is cut. The market goes on: switch it back, and see what you missed.',
  back: 'You are back: each room went on from its cursor. Look at Missed and what became of it.',
  slow: 'This client asks for one frame a second. Look at Conflated: trades still come all.',
  quick: 'This client takes every frame again.',
  sending: 'The alert is on its way through Kafka to everyone.',
} as const;

interface Parts {
  readonly network: Network;
  readonly gateway: Gateway;
}

export function setUpSwitches({ network, gateway }: Parts): void {
  toggle('cut', (isOn) => {
    if (isOn) network.cut();
    else network.mend();
    tell(isOn ? STORIES.cut : STORIES.back);
  });
  toggle('slow', (isOn) => {
    gateway.slow(isOn);
    tell(isOn ? STORIES.slow : STORIES.quick);
  });
}

/** Where there is somebody who publishes an alert. */
export function setUpAlertSwitch(alerts: Alerts): void {
  const button = action('alert');
  button.hidden = false;
  button.addEventListener('click', async () => {
    button.disabled = true;
    tell(STORIES.sending);
    try {
      const sentAt = performance.now();
      await alerts.arrival(await sendAlert());
      const took = duration(performance.now() - sentAt);
      tell(`The alert is here, and with everyone: ${took} after the click, through Kafka.`);
    } catch (error) {
      tell(`The alert was not sent: ${error instanceof Error ? error.message : error}`);
    } finally {
      button.disabled = false;
    }
  });
}

function tell(story: string): void {
  setText(value('story'), story);
}

function toggle(name: 'cut' | 'slow', changed: (isOn: boolean) => void): void {
  const button = action(name);
  button.addEventListener('click', () => {
    const isOn = button.getAttribute('aria-pressed') !== 'true';
    button.setAttribute('aria-pressed', String(isOn));
    changed(isOn);
  });
}
