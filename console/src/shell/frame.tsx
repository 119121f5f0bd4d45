// What is around every page: the ways to the others, the account, the reader's own choices.
import { Dialog, MenuItem } from '@ariakit/react';
import { type ComponentType, lazy, type ReactNode, Suspense, useEffect, useRef, useState } from 'react';
import { own, type Scope } from '../api/door';
import { Button, ButtonLink, Choice, Empty, Lacks, Menu, noMoreUndo, toast, troubleText, Waiting } from '../design/parts';
import { type Language, LANGUAGES, useMessages, useSpoken } from '../messages';
import type { Messages } from '../messages/en';
import { chosenTheme, chooseTheme, type Theme } from './choices';
import { useTitle } from './door';
import { forget, useLoad } from './load';
import { Link, usePath } from './router';
import { useSession } from './session';

export interface PageProps {
  /** What the address says beyond the page's own part. */
  rest: string[];
}
type Loader = () => Promise<{ default: ComponentType<PageProps> }>;
interface PageOf {
  path: string;
  title: (m: Messages) => string;
  group: 'mail' | 'reach' | 'account' | 'operate' | 'none';
  needs?: Scope;
  owners?: boolean;
  operators?: boolean;
  /** Shows one account's own: an operator chooses one first. */
  ofAccount: boolean;
  Body: ComponentType<PageProps>;
}
const page = (path: string, title: PageOf['title'], group: PageOf['group'], load: Loader, more: Partial<PageOf> = {}): PageOf => ({
  path, title, group, ofAccount: true, Body: lazy(load), ...more,
});

const OPERATORS: Partial<PageOf> = { operators: true, ofAccount: false };
const PAGES: PageOf[] = [
  page('overview', (m) => m.nav.overview, 'mail', () => import('../pages/overview'), { needs: 'read' }),
  page('why', (m) => m.nav.why, 'mail', () => import('../pages/why'), { needs: 'read' }),
  page('deliveries', (m) => m.nav.deliveries, 'mail', () => import('../pages/deliveries'), { needs: 'read' }),
  page('compose', (m) => m.nav.compose, 'mail', () => import('../pages/compose'), { needs: 'send' }),
  page('templates', (m) => m.nav.templates, 'mail', () => import('../pages/templates'), { needs: 'read' }),
  page('domains', (m) => m.nav.domains, 'reach', () => import('../pages/domains'), { needs: 'admin' }),
  page('suppression', (m) => m.nav.suppressions, 'reach', () => import('../pages/suppression'), { needs: 'suppress' }),
  page('webhooks', (m) => m.nav.webhooks, 'reach', () => import('../pages/webhooks'), { needs: 'admin' }),
  page('keys', (m) => m.nav.keys, 'account', () => import('../pages/keys'), { owners: true }),
  page('usage', (m) => m.nav.usage, 'account', () => import('../pages/usage'), { needs: 'read' }),
  page('people', (m) => m.nav.people, 'account', () => import('../pages/people'), { owners: true, ofAccount: false }),
  page('audit', (m) => m.nav.audit, 'account', () => import('../pages/audit'), { owners: true, ofAccount: false }),
  page('lanes', (m) => m.nav.lanes, 'operate', () => import('../pages/lanes'), OPERATORS),
  page('engine', (m) => m.nav.engine, 'operate', () => import('../pages/engine'), OPERATORS),
  page('held', (m) => m.nav.held, 'operate', () => import('../pages/held'), OPERATORS),
  page('sources', (m) => m.nav.sources, 'operate', () => import('../pages/sources'), OPERATORS),
  page('accounts', (m) => m.nav.accounts, 'operate', () => import('../pages/accounts'), OPERATORS),
  page('me', (m) => m.nav.me, 'none', () => import('../pages/me'), { ofAccount: false }),
];

function usePages(): PageOf[] {
  const { session, can } = useSession();
  const manages = session.person?.role === 'owner' || session.person?.role === 'operator';
  const operates = session.person?.role === 'operator';
  return PAGES.filter(({ needs, owners, operators }) => (!needs || can(needs) || operates) && (!owners || manages) && (!operators || operates));
}

/** What is no escape sequence of UTF-8 stays as it was written: there is no such page, and that is told. */
const decoded = (segment: string) => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};

export function Frame() {
  const m = useMessages();
  const path = usePath();
  const { session } = useSession();
  const pages = usePages();
  const [first = '', ...rest] = path.split('/').filter(Boolean).map(decoded);
  const name = first || pages[0]?.path || 'me';
  const found = pages.find((each) => each.path === name);
  // Pages of operators are not there for others.
  const closed = PAGES.find((each) => each.path === name && !each.operators);
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [path]);
  useTitle(found ? found.title(m) : closed ? closed.title(m) : m.trouble.notThere);
  const main = useRef<HTMLElement>(null);
  const before = useRef(path);
  useEffect(() => {
    if (before.current === path) return;
    before.current = path;
    main.current?.focus({ preventScroll: true });
  }, [path]);
  const lacksAccount = found?.ofAccount && session.person?.role === 'operator' && !session.account;

  return (
    <div className="frame">
      <a className="skip" href="#main">{m.nav.skip}</a>
      <aside className="side"><Side pages={pages} now={name} /></aside>
      <Dialog open={open} onClose={() => setOpen(false)} className="dialog drawer" backdrop={<div className="shade" />} aria-label={m.nav.label} unmountOnHide>
        <Side pages={pages} now={name} />
      </Dialog>
      <div>
        <header className="top">
          <Button plain className="burger icon" aria-label={m.nav.open} onClick={() => setOpen(true)}>
            <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true"><path d="M2 4.5h14M2 9h14M2 13.5h14" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" /></svg>
          </Button>
          <div className="grow">{session.person?.role === 'operator' ? <Accounts /> : <strong>{session.account}</strong>}</div>
          <UserMenu />
        </header>
        <main className="main" id="main" ref={main} tabIndex={-1}>
          {!found ? closed ? <Lacks scope={closed.needs} /> : <NotThere />
            : lacksAccount ? <div className="card"><Empty title={m.nav.chooseAccount} text={m.nav.chooseAccountText}><Accounts plain={false} /></Empty></div>
            : <Suspense fallback={<Waiting />}><found.Body key={`${found.path}:${session.account ?? ''}`} rest={rest} /></Suspense>}
        </main>
      </div>
    </div>
  );
}

function NotThere() {
  const m = useMessages();
  return <div className="card"><Empty title={m.trouble.notThere} text={m.trouble.notThereText}><ButtonLink href="/" first>{m.trouble.home}</ButtonLink></Empty></div>;
}

function Side({ pages, now }: { pages: PageOf[]; now: string }) {
  const m = useMessages();
  const { session } = useSession();
  const part = (group: PageOf['group'], title: ReactNode) => {
    const inside = pages.filter((each) => each.group === group);
    return inside.length > 0 && (
      <div key={group}>
        {title}
        <ul>
          {inside.map((each) => (
            <li key={each.path}><Link href={`/${each.path}`} aria-current={each.path === now ? 'page' : undefined}>{each.title(m)}</Link></li>
          ))}
        </ul>
      </div>
    );
  };
  return (
    <>
      <Link href="/" className="brand"><img src="/mark.svg" alt="" />todoku</Link>
      <nav className="nav grow" aria-label={m.nav.label}>
        {part('mail', null)}
        {part('reach', <h2>{m.nav.reach}</h2>)}
        {part('account', <h2>{m.nav.account}</h2>)}
        {part('operate', <h2>{m.nav.operate}</h2>)}
      </nav>
      {session.version && <p className="muted small" style={{ padding: '0 8px' }}>{m.nav.version(session.version)}</p>}
    </>
  );
}

function Accounts({ plain = true }: { plain?: boolean }) {
  const m = useMessages();
  const { session, set } = useSession();
  const { data } = useLoad('accounts', () => own.accounts());
  const options = [['', m.nav.noAccount] as const, ...(data?.accounts ?? []).map(({ name }) => [name, name] as const)];
  const choose = (name: string) =>
    void own.actFor(name || null).then((next) => { forget(); noMoreUndo(); set(next); }, (trouble: unknown) => toast(troubleText(m, trouble)[0] ?? ''));
  return <Choice name="account" label={m.nav.actingFor} options={options} value={session.account ?? ''} choose={choose} plain={plain} />;
}

function UserMenu() {
  const m = useMessages();
  const { language, speak } = useSpoken();
  const { session, set } = useSession();
  const [theme, setTheme] = useState<Theme>(chosenTheme);
  const person = session.person;
  const themes: [Theme, string][] = [['system', m.nav.system], ['light', m.nav.light], ['dark', m.nav.dark]];
  const chooseLanguage = (next: Language) => {
    speak(next);
    own.change({ language: next }).then(set, () => undefined);
  };
  return (
    <Menu label={m.nav.user} button={<><span className="nowrap">{person?.name || person?.email}</span><span aria-hidden="true">▾</span></>}>
      <div className="label">{person?.email}</div>
      <MenuItem render={<Link href="/me" />}><span className="tick" />{m.nav.me}</MenuItem>
      <hr />
      <div className="label">{m.nav.language}</div>
        {(Object.keys(LANGUAGES) as Language[]).map((each) => (
          <MenuItem key={each} role="menuitemradio" aria-checked={each === language} lang={each} onClick={() => chooseLanguage(each)}>
            <span className="tick" aria-hidden="true">{each === language ? '✓' : ''}</span>{LANGUAGES[each]}
          </MenuItem>
        ))}
      <div className="label">{m.nav.theme}</div>
      {themes.map(([each, text]) => (
        <MenuItem key={each} role="menuitemradio" aria-checked={each === theme} hideOnClick={false} onClick={() => { chooseTheme(each); setTheme(each); }}>
          <span className="tick" aria-hidden="true">{each === theme ? '✓' : ''}</span>{text}
        </MenuItem>
      ))}
      <hr />
      <MenuItem onClick={() => void own.signOut().finally(() => location.assign('/'))}><span className="tick" />{m.nav.signOut}</MenuItem>
    </Menu>
  );
}
