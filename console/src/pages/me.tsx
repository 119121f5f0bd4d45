// One's own: name and language, password, second factor, where one is signed in.
import { useState } from 'react';
import { own } from '../api/door';
import { Codes, SetUpFactor } from '../design/factor';
import { Badge, Button, Facts, Form, Input, Modal, ModalForm, PageHead, Select, Time, toast, Trouble, troubleText, useAction, Waiting } from '../design/parts';
import { type Language, LANGUAGES, useMessages, useSpoken } from '../messages';
import { useLoad } from '../shell/load';
import { useSession } from '../shell/session';

export default function Me() {
  const m = useMessages();
  return (
    <>
      <PageHead title={m.me.title} />
      <div className="stack narrow"><Profile /><Password /><Factor /><SignIns /></div>
    </>
  );
}

function Profile() {
  const m = useMessages();
  const { speak } = useSpoken();
  const { session, set } = useSession();
  const person = session.person;
  const [name, setName] = useState(person?.name ?? '');
  const [language, setLanguage] = useState<Language>(person?.language ?? 'en');
  const { busy, trouble, run } = useAction();
  const send = () => void run(async () => { set(await own.change({ name: name.trim(), language })); speak(language); toast(m.common.saved); });
  return (
    <section className="card stack">
      <h2>{m.me.profile}</h2>
      <Facts rows={[[m.common.email, person?.email], [m.me.role, person && m.roles[person.role]], session.account && [m.nav.account, session.account]]} />
      <Form send={send}>
        <Input label={m.common.nameOf} required maxLength={100} autoComplete="name" value={name} onChange={(e) => setName(e.target.value)} />
        <Select label={m.nav.language} value={language} onChange={(e) => setLanguage(e.target.value as Language)} options={Object.entries(LANGUAGES)} />
        <Trouble of={trouble} />
        <div className="row"><Button type="submit" busy={busy}>{m.common.save}</Button></div>
      </Form>
    </section>
  );
}

function Password() {
  const m = useMessages();
  const { session, set } = useSession();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const { busy, trouble, run } = useAction();
  const send = () => void run(async () => { set(await own.password(current, next)); setCurrent(''); setNext(''); toast(m.me.passwordChanged); });
  return (
    <section className="card stack">
      <h2>{m.me.password}</h2>
      <Form send={send}>
        <input type="email" autoComplete="username" value={session.person?.email ?? ''} readOnly hidden />
        <Input label={m.me.current} type="password" autoComplete="current-password" required value={current} onChange={(e) => setCurrent(e.target.value)} />
        <Input label={m.me.next} type="password" autoComplete="new-password" required minLength={12} hint={m.link.passwordHint} value={next} onChange={(e) => setNext(e.target.value)} />
        <Trouble of={trouble} />
        <div className="row"><Button type="submit" busy={busy}>{m.me.changePassword}</Button></div>
      </Form>
    </section>
  );
}

function Factor() {
  const m = useMessages();
  const { session, set } = useSession();
  const [dialog, setDialog] = useState<'set' | 'off' | 'codes' | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [password, setPassword] = useState('');
  const factor = session.second_factor;
  const close = () => { setDialog(null); setCodes(null); setPassword(''); };
  const turnOff = async () => { set(await own.endTotp(password)); toast(m.me.turnedOff); close(); };
  const renew = async () => { const made = await own.recoveryCodes(password); setDialog(null); setPassword(''); setCodes(made.recovery_codes); set(await own.session()); };
  return (
    <section className="card stack">
      <div className="row apart"><h2>{m.me.factor}</h2><Badge tone={factor?.on ? 'good' : 'warn'}>{factor?.on ? m.common.on : m.common.off}</Badge></div>
      <p className="muted">{factor?.on ? m.me.factorOn(factor.recovery_left) : m.me.factorOff}</p>
      <div className="row">
        {factor?.on ? <><Button onClick={() => setDialog('codes')}>{m.me.newCodes}</Button>{!factor.required && <Button danger onClick={() => setDialog('off')}>{m.me.turnOff}</Button>}</>
          : <Button first onClick={() => setDialog('set')}>{m.me.setUp}</Button>}
      </div>
      {dialog === 'set' && <Modal open fixed close={close} title={m.me.factor}><SetUpFactor cancel={close} done={(next) => { set(next); close(); }} /></Modal>}
      {dialog === 'off' && <ModalForm open close={close} title={m.me.turnOff} danger button={m.me.turnOff} send={turnOff}><Input label={m.me.yourPassword} type="password" autoComplete="current-password" required autoFocus value={password} onChange={(e) => setPassword(e.target.value)} /></ModalForm>}
      {dialog === 'codes' && <ModalForm open close={close} title={m.me.newCodes} button={m.me.newCodes} send={renew}><Input label={m.me.yourPassword} type="password" autoComplete="current-password" required autoFocus value={password} onChange={(e) => setPassword(e.target.value)} /></ModalForm>}
      {codes && <Modal open fixed close={close} title={m.me.factor}><Codes codes={codes} kept={close} /></Modal>}
    </section>
  );
}

function SignIns() {
  const m = useMessages();
  const { data, trouble, reload } = useLoad('sign-ins', () => own.signIns());
  const failed = (found: unknown) => toast(troubleText(m, found)[0] ?? '');
  return (
    <section className="card flush">
      <header><div><h2>{m.me.signIns}</h2><p className="muted">{m.me.signInsText}</p></div>
        {(data?.sign_ins.length ?? 0) > 1 && <Button onClick={() => void own.endOtherSignIns().then(({ ended }) => { toast(m.me.endedMany(ended)); reload(); }, failed)}>{m.me.endOthers}</Button>}</header>
      {trouble ? <Trouble of={trouble} again={reload} /> : !data ? <Waiting rows={2} /> : <div className="scroll"><table className="list folds"><thead><tr><th>{m.me.agent}</th><th>{m.me.place}</th><th>{m.me.used}</th><th><span className="sr">{m.common.actions}</span></th></tr></thead>
        <tbody>{data.sign_ins.map((each) => (
          <tr key={each.id}><td className="full"><span className="cut" title={each.agent}>{browserOf(each.agent)}</span> {each.current && <Badge tone="info">{m.me.thisOne}</Badge>}</td><td className="mono">{each.from}</td><td><Time at={each.used} /></td>
            <td className="act">{!each.current && <Button tiny onClick={() => void own.endSignIn(each.id).then(() => { toast(m.me.ended); reload(); }, failed)}>{m.me.end}</Button>}</td></tr>
        ))}</tbody></table></div>}
    </section>
  );
}

/** "Firefox, Windows" of what a browser calls itself; as it stands where that is not known. */
export function browserOf(agent: string): string {
  const browser = [['Edg/', 'Edge'], ['OPR/', 'Opera'], ['Firefox/', 'Firefox'], ['Chrome/', 'Chrome'], ['Safari/', 'Safari']].find(([mark]) => agent.includes(mark ?? ''))?.[1];
  const system = [['iPhone', 'iPhone'], ['iPad', 'iPad'], ['Android', 'Android'], ['Windows', 'Windows'], ['Mac OS X', 'macOS'], ['CrOS', 'ChromeOS'], ['Linux', 'Linux']].find(([mark]) => agent.includes(mark ?? ''))?.[1];
  return browser ? [browser, system].filter(Boolean).join(', ') : agent;
}
