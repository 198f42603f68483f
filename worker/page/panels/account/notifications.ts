/** What came to the user alone: own trades, price alerts, and whatever else a service sends. */
import {
  type Account,
  isAlert,
  isTrade,
  MOST_NOTIFICATIONS,
  type PersonalNotification,
} from '../../model/account.ts';
import { find, make, panel, setText } from '../../view/dom.ts';
import { decimal, time } from '../../view/format.ts';
import { type Panel, whenChanged } from '../../view/frame-loop.ts';
import { showAbsence } from './absence.ts';

export function notificationsPanel(account: Account): Panel {
  const root = panel('notifications');
  const lines = Array.from({ length: MOST_NOTIFICATIONS }, () => {
    const when = make('time');
    const text = make('span');
    return { when, text, element: make('li', {}, when, text) };
  });
  find('ul', root).replaceChildren(...lines.map(({ element }) => element));
  return whenChanged(account, () => {
    showAbsence(root, account);
    for (const [index, { when, text }] of lines.entries()) {
      const notification = account.notifications[index];
      setText(when, notification ? time(notification.timestamp) : '');
      setText(text, notification ? textOf(notification) : '');
    }
  });
}

function textOf(notification: PersonalNotification): string {
  if (isTrade(notification)) {
    const { symbol, data } = notification;
    const [token] = symbol.split('-');
    const verb = data.side === 'buy' ? 'Bought' : 'Sold';
    return `${verb} ${decimal(data.amount)} ${token} at ${decimal(data.price)}`;
  }
  if (isAlert(notification)) return notification.data.message;
  return notification.type.replaceAll('_', ' ');
}
