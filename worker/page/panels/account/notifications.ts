/** What came to the user alone: own trades, price alerts, and whatever else a service sends. */
import { type Account, isAlert, isTrade, type PersonalNotification } from '../../model/account.ts';
import { find, make, panel, setText, value } from '../../view/dom.ts';
import { decimal, time, whole } from '../../view/format.ts';
import { type Panel, whenChanged } from '../../view/frame-loop.ts';
import { showAbsence } from './absence.ts';

export function notificationsPanel(account: Account): Panel {
  const root = panel('notifications');
  const list = find('ul', root);
  const note = value('notifications-note');
  let newest: number | undefined;
  return whenChanged(account, () => {
    showAbsence(root, account);
    const [first] = account.notifications;
    if (first?.seq === newest) return;
    newest = first?.seq;
    setText(note, `own trades and alerts, the latest of ${whole(account.count)}`);
    // New elements: a line may take two rows, and what is below it would count as moved.
    list.replaceChildren(...account.notifications.map(lineOf));
  });
}

function lineOf(notification: PersonalNotification): HTMLLIElement {
  const when = make('time', {}, time(notification.timestamp));
  return make('li', {}, when, make('span', {}, textOf(notification)));
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
