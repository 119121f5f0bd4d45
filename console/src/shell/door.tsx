// The front door: signing in, the second factor, links, a forgotten password.
import { type ReactNode, useEffect, useState } from 'react';
import { Refused } from '../api/client';
import { type Link as OneUse, own } from '../api/door';
import { Button, Copy, Form, Input, Modal, Trouble, useAction, Waiting } from '../design/parts';
import { SetUpFactor } from '../design/factor';
import { type Language, LANGUAGES, useMessages, useSpoken } from '../messages';
import { go, Link } from './router';
import { useSession } from './session';

const FIRST_OPERATOR = 'todoku console operator';
const PASSWORD_MIN = 12;

export function Door({ title, text, children }: { title: string; text?: ReactNode; children: ReactNode }) {
  const { language, speak } = useSpoken();
  return (
    <div className="door">
      <main>
        <div className="brand"><img src="/mark.svg" alt="" />todoku</div>
        <div className="card stack">
          {title && <div className="stack tight"><h1>{title}</h1>{text && <p className="muted">{text}</p>}</div>}
          {children}
        </div>
      </main>
      <footer>
        {(Object.keys(LANGUAGES) as Language[]).map((each) => (
          <button key={each} type="button" lang={each} className="linklike" aria-pressed={each === language} disabled={each === language} onClick={() => speak(each)}>
            {LANGUAGES[each]}
          </button>
        ))}
      </footer>
    </div>
  );
}

function Credentials({ email, fixed, done }: { email?: string; fixed?: boolean; done: (session: Awaited<ReturnType<typeof own.signIn>>) => void }) {
  const m = useMessages();
  const [address, setAddress] = useState(email ?? '');
  const [password, setPassword] = useState('');
  const { busy, trouble, run } = useAction();
  const isWrong = trouble instanceof Refused && trouble.status === 401;
  return (
    <Form send={() => void run(async () => done(await own.signIn(address.trim(), password)))}>
      <Input label={m.common.email} type="email" name="email" autoComplete="username" required autoFocus={!email} readOnly={fixed} value={address} onChange={(e) => setAddress(e.target.value)} />
      <Input label={m.common.password} type="password" name="password" autoComplete="current-password" required autoFocus={!!email} value={password} onChange={(e) => setPassword(e.target.value)} />
      {isWrong ? <div className="note bad" role="alert">{m.signIn.wrong}</div> : <Trouble of={trouble} />}
      <Button type="submit" first full busy={busy}>{m.signIn.button}</Button>
    </Form>
  );
}

function Code({ done }: { done: (session: Awaited<ReturnType<typeof own.signIn>>) => void }) {
  const m = useMessages();
  const [recovers, setRecovers] = useState(false);
  const [code, setCode] = useState('');
  const { busy, trouble, run } = useAction();
  const send = () => void run(async () => done(await own.secondFactor(recovers ? { recovery_code: code.trim() } : { code: code.replace(/\D/g, '') })));
  return (
    <Form send={send}>
      {recovers ? (
        <Input key="recovery" label={m.signIn.recovery} hint={m.signIn.recoveryText} className="input mono" required autoFocus autoComplete="off" spellCheck={false} value={code} onChange={(e) => setCode(e.target.value)} />
      ) : (
        <Input key="code" label={m.signIn.code} className="input big mono" required autoFocus inputMode="numeric" autoComplete="one-time-code" maxLength={7} value={code} onChange={(e) => setCode(e.target.value)} />
      )}
      {trouble instanceof Refused && [400, 401, 403].includes(trouble.status) ? <div className="note bad" role="alert">{m.signIn.wrongCode}</div> : <Trouble of={trouble} />}
      <Button type="submit" first full busy={busy}>{m.signIn.go}</Button>
      <button type="button" className="linklike" onClick={() => { setRecovers(!recovers); setCode(''); }}>{recovers ? m.signIn.useApp : m.signIn.useRecovery}</button>
    </Form>
  );
}

export function SignIn() {
  const m = useMessages();
  const { set } = useSession();
  const { speak } = useSpoken();
  useTitle(m.signIn.title);
  return (
    <Door title={m.signIn.title}>
      <Credentials done={(session) => { set(session); if (session.person) speak(session.person.language); }} />
      <Link href="/forgot">{m.signIn.forgot}</Link>
    </Door>
  );
}

export function SecondFactor() {
  const m = useMessages();
  const { set } = useSession();
  const { speak } = useSpoken();
  useTitle(m.signIn.secondTitle);
  return (
    <Door title={m.signIn.secondTitle} text={m.signIn.secondText}>
      <Code done={(session) => { set(session); if (session.person) speak(session.person.language); }} />
      <button type="button" className="linklike" onClick={() => void own.signOut().finally(() => location.assign('/'))}>{m.signIn.other}</button>
    </Door>
  );
}

/** Over the page, when its sign-in has ended: what was typed below stays. */
export function SignInAgain() {
  const m = useMessages();
  const { session, resume, set } = useSession();
  const [half, setHalf] = useState(false);
  const done = (next: Awaited<ReturnType<typeof own.signIn>>) => {
    if (!next.half) return resume(next);
    // Only the token changes: the pages stay those of the person who was here.
    set({ ...session, token: next.token });
    setHalf(true);
  };
  return (
    <Modal open fixed close={() => undefined} title={half ? m.signIn.secondTitle : m.signIn.againTitle}>
      <p className="muted">{half ? m.signIn.secondText : m.signIn.againText}</p>
      {half ? <Code done={resume} /> : <Credentials email={session.person?.email} done={done} />}
      {!half && <button type="button" className="linklike" onClick={() => location.assign('/')}>{m.signIn.other}</button>}
    </Modal>
  );
}

/** Over the page, when another tab has signed somebody else in, or acts for another account: nothing is sent from here. */
export function Moved({ close }: { close: () => void }) {
  const m = useMessages();
  return (
    <Modal open close={close} title={m.signIn.movedTitle}>
      <p className="muted">{m.signIn.movedText}</p>
      <div className="row end"><Button first onClick={() => location.reload()}>{m.signIn.movedButton}</Button><Button onClick={close}>{m.common.close}</Button></div>
    </Modal>
  );
}

export function FirstRun() {
  const m = useMessages();
  return (
    <Door title={m.signIn.firstTitle} text={m.signIn.firstText}>
      <div className="row nowrap"><pre className="answer grow">{FIRST_OPERATOR}</pre><Copy text={FIRST_OPERATOR} /></div>
    </Door>
  );
}

export function Forgot() {
  const m = useMessages();
  const [email, setEmail] = useState('');
  const [sent, setSent] = useState(false);
  const { busy, trouble, run } = useAction();
  useTitle(m.forgot.title);
  if (sent)
    return <Door title={m.forgot.sentTitle} text={m.forgot.sentText(email)}><Link href="/">{m.forgot.back}</Link></Door>;
  return (
    <Door title={m.forgot.title} text={m.forgot.text}>
      <Form send={() => void run(async () => { await own.askReset(email.trim()); setSent(true); })}>
        <Input label={m.common.email} type="email" autoComplete="username" required autoFocus value={email} onChange={(e) => setEmail(e.target.value)} />
        <Trouble of={trouble} />
        <Button type="submit" first full busy={busy}>{m.forgot.button}</Button>
      </Form>
      <Link href="/">{m.forgot.back}</Link>
    </Door>
  );
}

/** The token is in the address's fragment, which is never sent by itself, and is taken out of the history at once. */
function useToken(): string {
  const [token, setToken] = useState(() => location.hash.slice(1));
  useEffect(() => {
    const take = () => {
      // A second link that is opened in the same tab loads no page.
      if (location.hash.length > 1) setToken(location.hash.slice(1));
      history.replaceState(null, '', location.pathname);
    };
    take();
    addEventListener('hashchange', take);
    return () => removeEventListener('hashchange', take);
  }, []);
  return token;
}

export function LinkPage() {
  const m = useMessages();
  const token = useToken();
  const [link, setLink] = useState<OneUse | null>(null);
  const [trouble, setTrouble] = useState<unknown>(null);
  useEffect(() => {
    let isLatest = true;
    setLink(null);
    setTrouble(null);
    own.lookAtLink(token).then((found) => isLatest && setLink(found), (found: unknown) => isLatest && setTrouble(found));
    return () => { isLatest = false; };
  }, [token]);
  if (trouble) {
    const isDead = trouble instanceof Refused && trouble.status >= 400 && trouble.status < 500 && trouble.status !== 429;
    return (
      <Door title={isDead ? m.link.deadTitle : m.trouble.title} text={isDead ? m.link.deadText : undefined}>
        {!isDead && <Trouble of={trouble} again={() => { setTrouble(null); own.lookAtLink(token).then(setLink, setTrouble); }} />}
        <Link href="/forgot">{m.link.askAgain}</Link>
        <Link href="/">{m.forgot.back}</Link>
      </Door>
    );
  }
  return link ? <UseLink key={token} link={link} token={token} /> : <Door title=""><Waiting rows={3} /></Door>;
}

function UseLink({ link, token }: { link: OneUse; token: string }) {
  const m = useMessages();
  const { language, speak } = useSpoken();
  const { set } = useSession();
  const [name, setName] = useState(link.name ?? '');
  const [email, setEmail] = useState(link.email ?? '');
  const [password, setPassword] = useState('');
  const [tried, setTried] = useState(false);
  const { busy, trouble, run } = useAction();
  const isFirst = link.purpose === 'first_operator';
  const isNew = isFirst || link.purpose === 'invitation';
  const title = { first_operator: m.link.firstOperator, invitation: m.link.invitation, reset: m.link.reset, confirm: m.link.confirm }[link.purpose];
  const text = { first_operator: m.link.firstOperatorText, invitation: link.account ? m.link.invitationText(link.account) : m.link.invitationPlain, reset: m.link.resetText, confirm: m.link.confirmText }[link.purpose];
  useTitle(title);
  const isAddressAlone = link.purpose === 'confirm';
  const isShort = !isAddressAlone && [...password].length < PASSWORD_MIN;
  const send = () => {
    setTried(true);
    if (isShort) return;
    void run(async () => {
      const session = await own.useLink({ token, ...(isAddressAlone ? {} : { password }), ...(isNew ? { name: name.trim(), language } : {}), ...(isFirst ? { email: email.trim() } : {}) });
      go('/', { replace: true });
      set(session.signed_in ? session : { ...session, signed_in: false });
      if (session.person) speak(session.person.language);
    });
  };
  return (
    <Door title={title} text={text}>
      <Form send={send}>
        {isNew && <Input label={m.common.nameOf} autoComplete="name" required maxLength={100} value={name} onChange={(e) => setName(e.target.value)} />}
        <Input label={m.common.email} type="email" autoComplete="username" required readOnly={!isFirst} value={email} onChange={(e) => setEmail(e.target.value)} />
        {!isAddressAlone && <Input label={m.link.password} type="password" autoComplete="new-password" required hint={m.link.passwordHint} wrong={tried && isShort ? m.link.short : null} value={password} onChange={(e) => setPassword(e.target.value)} />}
        <Trouble of={trouble} />
        <Button type="submit" first full busy={busy}>{isAddressAlone ? m.link.confirm : m.link.button}</Button>
      </Form>
    </Door>
  );
}

export function MustSetUp() {
  const m = useMessages();
  const { set } = useSession();
  useTitle(m.me.mustTitle);
  return (
    <Door title={m.me.mustTitle} text={m.me.mustText}>
      <SetUpFactor done={set} />
      <button type="button" className="linklike" onClick={() => void own.signOut().finally(() => location.assign('/'))}>{m.nav.signOut}</button>
    </Door>
  );
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · todoku` : 'todoku';
  }, [title]);
}
