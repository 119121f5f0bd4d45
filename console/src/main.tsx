import { createRoot } from 'react-dom/client';
import { own, type Session } from './api/door';
import './design/base.css';
import { catalogueOf, languageOf, type Language } from './messages';
import { applyTheme, chosenLanguage, chosenTheme } from './shell/choices';
import { Root } from './shell/app';

async function begin(): Promise<void> {
  applyTheme(chosenTheme());
  const session: Session | null = await own.session().catch(() => null);
  const language: Language = session?.person?.language ?? chosenLanguage() ?? languageOf(navigator.languages);
  document.documentElement.lang = language;
  const messages = await catalogueOf(language);
  const root = document.getElementById('root');
  if (root) createRoot(root).render(<Root session={session} language={language} messages={messages} />);
}
void begin();
