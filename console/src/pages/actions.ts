// The audit's actions in words: `person.role 12 owner`, `domain.add: news.example.jp`, `preview`.
import type { Messages } from '../messages/en';

const ACTION = /^([a-z_.]+)(?: (\d+))?(?: ([a-z]+))?(?:: (.+))?$/;

/** What is not known here stands as it was recorded. */
export function actionText(action: string, m: Messages): string {
  const [, name = '', number, role, whom] = ACTION.exec(action) ?? [];
  const said = m.audit.actions[name];
  if (!said) return action;
  const more = [number && `#${number}`, role && (m.roles[role as keyof Messages['roles']] ?? role), whom].filter(Boolean);
  return more.length ? `${said}: ${more.join(', ')}` : said;
}
