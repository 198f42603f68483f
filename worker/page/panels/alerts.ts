/** The newest alert to everyone that has not expired. */
import type { Alert, Alerts } from '../model/alerts.ts';
import { action, panel, setData, setText, value } from '../view/dom.ts';
import { time } from '../view/format.ts';
import { type Panel, whenChanged } from '../view/frame-loop.ts';

const NOTHING = 'No alerts now. One to everyone would be shown here.';

export function alertsPanel(alerts: Alerts): Panel {
  const root = panel('alerts');
  const button = action('dismiss');
  let shown: Alert | undefined;
  button.addEventListener('click', () => {
    if (shown !== undefined) alerts.dismiss(shown);
  });
  const draw = whenChanged(alerts, () => {
    const [first] = alerts.all;
    shown = first;
    setData(root, 'level', first?.data.level ?? 'none');
    setText(value('alert-title'), first ? `${first.data.title}` : '');
    setText(
      value('alert-message'),
      first ? `${first.data.message} · ${time(first.timestamp)}` : NOTHING,
    );
    const more = alerts.all.length - 1;
    setText(value('alert-more'), more > 0 ? `and ${more} before` : '');
    button.hidden = first === undefined;
  });
  return (now) => {
    alerts.expire(Date.now());
    return draw(now);
  };
}
