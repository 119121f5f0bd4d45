// One box for what somebody on the phone knows; below it the story of each mail in plain words.
import { useState } from 'react';
import { api, type Answer } from '../api/client';
import { Badge, Button, ButtonLink, Choice, Copy, Empty, Form, Input, ModalForm, PageHead, Time, toast, toneOf, Trouble, Waiting } from '../design/parts';
import { took } from '../design/format';
import { type Language, LANGUAGES, useMessages, useSpoken } from '../messages';
import { useLoad } from '../shell/load';
import { Link, useQuery } from '../shell/router';
import { useSession } from '../shell/session';
import { waysToAsk } from './ask';

type Told = Extract<Answer<'/explain', 'get'>, { mails: unknown }>;
type Mail = Told['mails'][number];
const FIRST = 20;
const MOST = 200;

export default function Why() {
  const m = useMessages();
  const { language } = useSpoken();
  const { can } = useSession();
  const [query, change] = useQuery();
  const asked = query.get('q') ?? '';
  const limit = Math.min(MOST, Number(query.get('limit')) || FIRST);
  const [typed, setTyped] = useState(asked);
  const { data, trouble, loading, reload } = useLoad(asked ? `why:${language}:${limit}:${asked}` : null, async (signal) => {
    let told: Told | undefined;
    for (const way of waysToAsk(asked)) {
      told = (await api.get('/explain', { query: { ...way, limit, lang: language }, signal })) as Told;
      if (told.mails.length) break;
    }
    return told;
  });
  return (
    <>
      <PageHead title={m.why.title} text={m.why.text} />
      <div className="stack wide">
        <Form className="searchbox" send={() => change({ q: typed.trim(), limit: null })}>
          <div className="grow"><Input label={m.why.box} hideLabel big type="search" autoFocus placeholder={m.why.placeholder} value={typed} maxLength={254} spellCheck={false} autoComplete="off" onChange={(e) => setTyped(e.target.value)} /></div>
          <Button type="submit" first className="tall">{m.common.search}</Button>
        </Form>
        {trouble ? <Trouble of={trouble} again={reload} />
          : !asked ? <div className="card"><Empty title={m.why.emptyTitle} text={m.why.emptyText} /></div>
          : !data ? loading && <div className="card"><Waiting /></div>
          : data.mails.length === 0 ? (
            <div className="card"><Empty title={m.why.nothing(asked)} text={asked.includes('@') ? m.why.nothingText : m.why.nothingReference}>
              {can('suppress') && asked.includes('@') && !asked.startsWith('<') && <ButtonLink href={`/suppression?email=${encodeURIComponent(asked)}`}>{m.why.askSuppression}</ButtonLink>}
            </Empty></div>
          ) : (
            <div className="stack">
              <div className="row apart"><h2>{data.address || asked} · {m.why.found(data.mails.length)}</h2>
                {data.address && can('suppress') && <Link href={`/suppression?email=${encodeURIComponent(data.address)}`}>{m.why.askSuppression}</Link>}</div>
              {data.mails.map((mail, i) => <Story key={mail.email_id} mail={mail} open={i === 0} changed={reload} />)}
              {data.more && <div className="row apart"><span className="muted">{m.why.manyMore}</span>{limit < MOST && <Button onClick={() => change({ limit: String(Math.min(MOST, limit * 3)) })}>{m.why.showMore}</Button>}</div>}
            </div>
          )}
      </div>
    </>
  );
}

export function Story({ mail, open, changed }: { mail: Mail; open: boolean; changed?: () => void }) {
  const m = useMessages();
  const { can } = useSession();
  const [sends, setSends] = useState(false);
  const latest = mail.attempts[mail.attempts.length - 1];
  return (
    <details className="card flush mail" open={open}>
      <summary>
        <span className="row apart">
          <strong className="grow">{mail.subject || m.common.noSubject}</strong>
          <Badge tone={toneOf(mail.state)}>{m.states[mail.state] ?? mail.state}</Badge>
        </span>
        <span className="row muted small">
          <span>{mail.from}</span>
          {mail.reference && <span>{m.why.reference}: {mail.reference}</span>}
          {latest && <Time at={latest.at} />}
        </span>
      </summary>
      <div className="split mailbody">
        <div className="stack">
          <div className="note info"><h3>{m.why.next}</h3><p>{mail.next}</p></div>
          <h3>{m.why.story}</h3>
          {mail.attempts.length === 0 && <p className="muted">{m.why.noAttempts}</p>}
          <ol className="story">
            {[...mail.attempts].reverse().map((attempt) => (
              <li key={attempt.number} className={toneOf(attempt.state)}>
                <div className="row"><strong>{m.why.attempt(attempt.number)}</strong><Badge tone={toneOf(attempt.state)}>{m.states[attempt.state] ?? attempt.state}</Badge><span className="muted small"><Time at={attempt.at} style="exact" /></span></div>
                <p>{attempt.meaning}</p>
                {attempt.answer && <><p className="muted small">{attempt.code > 0 ? m.why.answered : m.why.noted}</p><div className="answer">{attempt.answer}</div></>}
                {attempt.host && <Path attempt={attempt} />}
                {attempt.action && <p className="todo"><strong>{m.why.action}: </strong>{attempt.action}</p>}
              </li>
            ))}
          </ol>
        </div>
        <div className="stack">
          {mail.for_recipient && <Letter mail={mail} />}
          <div className="row">
            <ButtonLink href={`/deliveries/${mail.delivery_id}`}>{m.why.delivery(mail.delivery_id)}</ButtonLink>
            {can('send') && can('content') && <Button onClick={() => setSends(true)}>{m.why.resend}</Button>}
          </div>
        </div>
      </div>
      {sends && <Resend mail={mail} close={() => setSends(false)} done={changed} />}
    </details>
  );
}

/** Where it was tried, from where, how it was encrypted, and how long that took. */
function Path({ attempt }: { attempt: Mail['attempts'][number] }) {
  const m = useMessages();
  return (
    <p className="muted small">
      <span className="mono">{attempt.host}{attempt.ip && ` [${attempt.ip}]`}</span>
      {attempt.source && <> · {m.why.source(attempt.source)}</>}
      {attempt.tls && <> · {m.why.tls[attempt.tls]}{attempt.tls_detail && ` (${attempt.tls_detail})`}</>}
      {!!attempt.duration_ms && <> · {m.why.took(took(attempt.duration_ms, m))}</>}
    </p>
  );
}

/** The text for the recipient, in the language that the recipient reads. */
function Letter({ mail }: { mail: Mail }) {
  const m = useMessages();
  const { language } = useSpoken();
  const [spoken, speak] = useState<Language>(language);
  const other = useLoad(spoken === language ? null : `letter:${mail.email_id}:${spoken}`, async (signal) =>
    ((await api.get('/explain', { query: { email_id: mail.email_id, limit: 1, lang: spoken }, signal })) as Told).mails[0]?.for_recipient ?? '');
  const text = spoken === language ? mail.for_recipient : other.data;
  return (
    <div className="stack tight">
      <div className="row apart"><h3>{m.why.letter}</h3>
        <span className="row"><Choice name="letter" label={m.nav.language} options={Object.entries(LANGUAGES)} value={spoken} choose={(next) => speak(next as Language)} />{text && <Copy text={text} label={m.why.copyLetter} />}</span></div>
      <p className="muted small">{m.why.letterText}</p>
      {other.trouble ? <Trouble of={other.trouble} again={other.reload} /> : text === undefined ? <Waiting rows={3} /> : <div className="letter pre" lang={spoken}>{text}</div>}
    </div>
  );
}

function Resend({ mail, close, done }: { mail: Mail; close: () => void; done?: () => void }) {
  const m = useMessages();
  const [to, setTo] = useState('');
  const send = async () => {
    const made = await api.post('/deliveries/-/emails/{email_id}/resend', { path: { email_id: mail.email_id }, body: to.trim() ? { to: to.trim() } : {} });
    toast(m.why.resent(made.delivery_id));
    close();
    done?.();
  };
  return (
    <ModalForm open close={close} title={m.why.resendTitle} text={m.why.resendText} button={m.why.resend} send={send}>
      <Input label={m.common.to} type="email" hint={m.common.optional} value={to} onChange={(e) => setTo(e.target.value)} />
    </ModalForm>
  );
}
