/** What came to the user alone: own trades, price alerts, and whatever else a service sends. */
import {
  type Account,
  isAlert,
  isTrade,
  MOST_NOTIFICATIONS,
  type PersonalNotification,
} from '../model/account.ts';
import { find, make, panel, setText, value } from '../view/dom.ts';
import { decimal, time } from '../view/format.ts';
import { type Panel, whenChanged } from '../view/frame-loop.ts';
import { showAbsence } from './absence.ts';

/** @param user undefined where nobody is signed in. */
export function notificationsPanel(account: Account, user: string | undefined): Panel {
  const lines = Array.from({ length: MOST_NOTIFICATIONS }, () => {
    const when = make('time');
    const text = make('span');
    return { when, text, element: make('li', {}, when, text) };
  });
  find('ul', panel('notifications')).replaceChildren(...lines.map(({ element }) => element));
  const note = value('notifications-note');
  setText(note, user === undefined ? '' : 'trades and price alerts');
  showAbsence('notifications', user);
  return whenChanged(account, () => {
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
