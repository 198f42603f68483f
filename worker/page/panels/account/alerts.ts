/** The newest alert to everyone that has not expired. */
import type { Alert, Alerts } from '../../model/alerts.ts';
import { action, find, make, panel, setData, setText, value } from '../../view/dom.ts';
import { time } from '../../view/format.ts';
import { type Panel, whenChanged } from '../../view/frame-loop.ts';

const NOTHING = 'No alerts now. One to everyone would be shown here.';

export function alertsPanel(alerts: Alerts): Panel {
  const root = panel('alerts');
  const text = find('.alert-text', root);
  const button = action('dismiss');
  let shown: Alert | undefined;
  button.addEventListener('click', () => {
    if (shown !== undefined) alerts.dismiss(shown);
  });
  const draw = whenChanged(alerts, () => {
    const [first] = alerts.all;
    shown = first;
    setData(root, 'level', first?.data.level ?? 'none');
    text.replaceChildren(...partsOf(first));
    const more = alerts.all.length - 1;
    setText(value('alert-more'), more > 0 ? `and ${more} before` : '');
    button.hidden = first === undefined;
  });
  return (now) => {
    alerts.expire(Date.now());
    return draw(now);
  };
}

/** New elements, because the message moves with the length of the title. */
function partsOf(alert: Alert | undefined): (Node | string)[] {
  if (alert === undefined) return [NOTHING];
  const { data, timestamp } = alert;
  const [when, title] = [make('time', {}, time(timestamp)), make('strong', {}, data.title)];
  return [when, ' ', title, ` ${data.message}`];
}
