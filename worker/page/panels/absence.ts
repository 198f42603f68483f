/** What a panel of the user shows where nobody is signed in. */
import { find, panel } from '../view/dom.ts';

export function showAbsence(name: string, user: string | undefined): void {
  const root = panel(name);
  find('.absent', root).hidden = user !== undefined;
  root.classList.toggle('is-absent', user === undefined);
}
