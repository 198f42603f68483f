/** What a panel of the user shows where nobody is signed in. */
import type { Account } from '../../model/account.ts';
import { find } from '../../view/dom.ts';

export function showAbsence(root: HTMLElement, { isAbsent }: Account): void {
  find('.absent', root).hidden = !isAbsent;
  root.classList.toggle('is-absent', isAbsent);
}
