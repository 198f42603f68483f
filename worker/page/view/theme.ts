/** Light or dark: as the system has it, until the switch says otherwise. */
import { action, setText } from './dom.ts';

const KEY = 'theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

/** @param changed is told after each change. */
export function setUpTheme(changed: () => void): void {
  const root = document.documentElement;
  const button = action('theme');
  const isDark = () => (root.dataset.theme ?? (dark.matches ? 'dark' : 'light')) === 'dark';
  const show = () => setText(button, isDark() ? 'Light theme' : 'Dark theme');
  const chosen = stored();
  if (chosen !== undefined) root.dataset.theme = chosen;
  show();
  const told = () => {
    show();
    changed();
  };
  dark.addEventListener('change', told);
  button.addEventListener('click', () => {
    const theme = isDark() ? 'light' : 'dark';
    root.dataset.theme = theme;
    store(theme);
    told();
  });
}

/** A browser may forbid to store anything; then the choice lasts as long as the page. */
function stored(): string | undefined {
  try {
    return localStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

function store(theme: string): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // As above.
  }
}
