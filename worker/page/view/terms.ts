/**
 * What a term means, on hover and on focus. A screen reader has it as the term's description; the
 * tooltip shows the same text.
 */
import { find } from './dom.ts';

/** Between the term and its tooltip, and to the edge of the window, px. */
const DISTANCE = 6;

export function setUpTerms(): void {
  const tooltip = find('#tooltip');
  let shown: HTMLElement | undefined;
  const placeAgain = () => {
    if (shown !== undefined) place(tooltip, shown.getBoundingClientRect());
  };
  const show = (term: HTMLElement) => {
    shown = term;
    tooltip.textContent = find(`#${idOf(term)}`).textContent;
    tooltip.showPopover();
    placeAgain();
  };
  const hide = () => {
    shown = undefined;
    tooltip.hidePopover();
  };
  for (const term of document.querySelectorAll<HTMLElement>('[data-term]')) {
    term.setAttribute('aria-describedby', idOf(term));
    for (const type of ['pointerenter', 'focus', 'click']) {
      term.addEventListener(type, () => show(term));
    }
    for (const type of ['pointerleave', 'blur']) term.addEventListener(type, hide);
  }
  document.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') hide();
  });
  // A term that gets the focus by the keyboard may be scrolled to after that.
  document.addEventListener('scroll', placeAgain, { passive: true });
}

function idOf({ dataset }: HTMLElement): string {
  return `term-${dataset.term}`;
}

/** Below the term, or above it where there is no room below. */
function place(tooltip: HTMLElement, term: DOMRect): void {
  const { width, height } = tooltip.getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  const below = term.bottom + DISTANCE;
  const fits = below + height + DISTANCE <= clientHeight;
  const left = Math.min(term.left, clientWidth - width - DISTANCE);
  tooltip.style.left = `${Math.max(DISTANCE, left)}px`;
  tooltip.style.top = `${fits ? below : term.top - DISTANCE - height}px`;
}
