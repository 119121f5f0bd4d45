// The reader's language: that of the person, else what was chosen here, else what the browser prefers. One
// language is loaded, not both.
import { createContext, type ReactNode, useContext } from 'react';
import type { Messages } from './en';

export type Language = 'en' | 'ja';
export const LANGUAGES: Record<Language, string> = { en: 'English', ja: '日本語' };

export async function catalogueOf(language: Language): Promise<Messages> {
  return language === 'ja' ? (await import('./ja')).ja : (await import('./en')).en;
}

export function languageOf(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const language = tag.toLowerCase().split('-')[0];
    if (language === 'ja' || language === 'en') return language;
  }
  return 'en';
}

export interface Spoken {
  language: Language;
  messages: Messages;
  speak: (language: Language) => void;
}
const Context = createContext<Spoken | null>(null);

export function MessagesProvider({ value, children }: { value: Spoken; children: ReactNode }) {
  return <Context value={value}>{children}</Context>;
}

export function useSpoken(): Spoken {
  const spoken = useContext(Context);
  if (!spoken) throw new Error('no messages');
  return spoken;
}

export function useMessages(): Messages {
  return useSpoken().messages;
}
