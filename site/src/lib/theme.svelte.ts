// Light, dark, or as the system has it. public/theme.js sets it before the first paint.
export type Theme = 'system' | 'light' | 'dark';
const kKey = 'muster.theme';

class Chosen {
  theme = $state<Theme>((document.documentElement.dataset['theme'] as Theme | undefined) ?? 'system');
  changes = $state(0);  // For what draws with colours of its own: canvases.

  constructor() {
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => ++this.changes);
  }
  choose(theme: Theme) {
    this.theme = theme;
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
    try {
      if (theme === 'system') localStorage.removeItem(kKey);
      else localStorage.setItem(kKey, theme);
    } catch {
      // Storage is forbidden: it holds for this page.
    }
    ++this.changes;
  }
}
export const chosen = new Chosen();
