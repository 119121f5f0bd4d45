// What a reader chooses in this browser: language until one is signed in, and light or dark.
import type { Language } from '../messages';

export type Theme = 'system' | 'light' | 'dark';
const LANGUAGE = 'todoku.language';
const THEME = 'todoku.theme';

function kept(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
function keep(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // A browser that keeps nothing: it holds until the page is loaded again.
  }
}

export function chosenLanguage(): Language | null {
  const value = kept(LANGUAGE);
  return value === 'en' || value === 'ja' ? value : null;
}
export const chooseLanguage = (language: Language) => keep(LANGUAGE, language);

export function chosenTheme(): Theme {
  const value = kept(THEME);
  return value === 'light' || value === 'dark' ? value : 'system';
}
export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
export function chooseTheme(theme: Theme): void {
  keep(THEME, theme === 'system' ? null : theme);
  applyTheme(theme);
}
