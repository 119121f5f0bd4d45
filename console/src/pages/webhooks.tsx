// Which servers are told of events: adding one, trying it, and what it answered lately.
import { useState } from 'react';
import { api } from '../api/client';
import type { components } from '../api/schema';
import { Button, Copy, Empty, Facts, Input, Modal, ModalForm, PageHead, Select, State, Time, toast, Trouble, useAction, Waiting, Badge } from '../design/parts';
import { useMessages } from '../messages';
import type { PageProps } from '../shell/frame';
import { useLoad } from '../shell/load';
import { go, Link } from '../shell/router';

type Webhook = components['schemas']['Webhook'];
type Call = components['schemas']['WebhookCall'];
type Kind = NonNullable<components['schemas']['NewWebhook']['kinds']>[number];
type Format = NonNullable<components['schemas']['NewWebhook']['form']>;
const FORMS: readonly Format[] = ['standard', 'contract', 'sendgrid', 'postmark', 'resend'];
const TESTS_MAX = 20;
const KINDS: readonly Kind[] = ['recipient.sent', 'recipient.deferred', 'recipient.hard_error', 'recipient.soft_error', 'recipient.dropped', 'recipient.opened', 'recipient.complained', 'recipient.unsubscribed', 'delivery.started', 'delivery.finished', 'delivery.failed', 'domain.broken', 'limit.near', 'limit.reached'];

export default function Webhooks({ rest }: PageProps) {
  return rest[0] ? <One id={rest[0]} /> : <List />;
}

function List() {
  const m = useMessages();
  const { data, trouble, loading, reload } = useLoad('webhooks', (signal) => api.get('/webhooks', { signal }));
  const [adds, setAdds] = useState(false);
  const rows = data?.data ?? [];
  return (
    <>
      <PageHead title={m.webhooks.title} text={m.webhooks.text}>{rows.length > 0 && <Button first onClick={() => setAdds(true)}>{m.webhooks.add}</Button>}</PageHead>
      <div className="card flush">
        {trouble ? <Trouble of={trouble} again={reload} /> : !data ? loading && <Waiting />
          : rows.length === 0 ? <Empty title={m.webhooks.emptyTitle} text={m.webhooks.emptyText}><Button first onClick={() => setAdds(true)}>{m.webhooks.add}</Button></Empty>
          : <div className="scroll"><table className="list folds"><thead><tr><th>{m.webhooks.url}</th><th>{m.common.state}</th><th>{m.webhooks.form}</th><th>{m.webhooks.kinds}</th></tr></thead>
            <tbody>{rows.map((row) => <tr key={row.webhook}><td className="full"><Link href={`/webhooks/${encodeURIComponent(row.webhook)}`}>{row.url}</Link></td><td><State of={row.status} /></td><td className="muted">{row.form}</td><td className="muted">{row.kinds.length ? <span className="cut">{row.kinds.join(', ')}</span> : m.webhooks.allKinds}</td></tr>)}</tbody></table></div>}
      </div>
      {adds && <Add close={() => setAdds(false)} done={reload} />}
    </>
  );
}

function Add({ close, done }: { close: () => void; done: () => void }) {
  const m = useMessages();
  const [url, setUrl] = useState('');
  const [form, setForm] = useState<Format>('standard');
  const [kinds, setKinds] = useState<Kind[]>([]);
  const [made, setMade] = useState<{ webhook: string; secret: string | null } | null>(null);
  const send = async () => {
    setMade(await api.post('/webhooks', { body: { url: url.trim(), form, kinds: kinds.length ? kinds : undefined } }));
    done();
  };
  if (made) {
    const leave = () => { close(); go(`/webhooks/${encodeURIComponent(made.webhook)}`); };
    if (!made.secret) { leave(); return null; }
    return (
      <Modal open fixed close={leave} title={m.webhooks.secretTitle}>
        <p className="muted">{m.webhooks.secretText}</p>
        <div className="row nowrap"><code className="answer grow">{made.secret}</code><Copy text={made.secret} /></div>
        <div className="row end"><Button first onClick={leave}>{m.common.close}</Button></div>
      </Modal>
    );
  }
  return (
    <ModalForm open close={close} title={m.webhooks.addTitle} button={m.common.add} send={send}>
      <Input label={m.webhooks.url} type="url" required autoFocus hint={m.webhooks.urlHint} placeholder="https://example.jp/hooks/mail" value={url} onChange={(e) => setUrl(e.target.value)} />
      <Select label={m.webhooks.form} value={form} onChange={(e) => setForm(e.target.value as Format)} hint={m.webhooks.forms[form]} options={FORMS.map((each) => [each, each] as const)} />
      <fieldset className="kinds"><legend className="label">{m.webhooks.kinds} <span className="muted">({kinds.length ? kinds.length : m.webhooks.allKinds})</span></legend>
        {KINDS.map((kind) => <label key={kind}><input type="checkbox" checked={kinds.includes(kind)} onChange={(e) => setKinds(e.target.checked ? [...kinds, kind] : kinds.filter((each) => each !== kind))} /> <code>{kind}</code> <span className="muted small">{m.webhooks.kindTexts[kind]}</span></label>)}
      </fieldset>
    </ModalForm>
  );
}

function One({ id }: { id: string }) {
  const m = useMessages();
  const path = { webhook: id };
  const hook = useLoad(`webhook:${id}`, (signal) => api.get('/webhooks/{webhook}', { path, signal }));
  const calls = useLoad(`calls:${id}`, (signal) => api.get('/webhooks/{webhook}/calls', { path, signal }));
  const { busy, trouble, run } = useAction();
  // Kept by the engine are the calls that tell of events.
  const [tests, setTests] = useState<Call[]>([]);
  const [result] = tests;
  const [shown, setShown] = useState<Call | null>(null);
  const [removes, setRemoves] = useState(false);
  if (hook.trouble) return <Trouble of={hook.trouble} again={hook.reload} />;
  if (!hook.data) return <div className="card"><Waiting /></div>;
  const data: Webhook = hook.data;
  const isOn = data.status !== 'disabled';
  const test = () => void run(async () => { const { call } = await api.post('/webhooks/{webhook}/test', { path }); setTests((was) => [call, ...was].slice(0, TESTS_MAX)); calls.reload(); });
  const flip = () => void run(async () => { await api.patch('/webhooks/{webhook}', { path, body: { enabled: !isOn } }); toast(isOn ? m.webhooks.disabled : m.webhooks.enabled); hook.reload(); });
  const rows = [...tests, ...(calls.data?.data ?? [])].sort((a, b) => Date.parse(b.time) - Date.parse(a.time));
  return (
    <>
      <PageHead title={<>{data.url} <State of={data.status} /></>} text={<Link href="/webhooks">{m.webhooks.title}</Link>}>
        <Button first busy={busy} onClick={test}>{m.webhooks.test}</Button>
        <Button busy={busy} onClick={flip}>{isOn ? m.webhooks.disable : m.webhooks.enable}</Button>
        <Button danger onClick={() => setRemoves(true)}>{m.common.remove}</Button>
      </PageHead>
      <div className="stack">
        <div aria-live="polite" className="stack tight">
          <Trouble of={trouble} />
          {result && (result.failure ? <div className="note bad"><p>{m.webhooks.testBad}</p><p>{result.failure}</p>{result.answer && <div className="answer">{result.answer}</div>}</div> : <div className="note good">{m.webhooks.testGood(result.status ?? 0, result.took_ms)}</div>)}
        </div>
        <div className="card stack"><Facts rows={[
          [m.webhooks.form, data.form], [m.webhooks.kinds, data.kinds.length ? data.kinds.join(', ') : m.webhooks.allKinds],
          data.failing_since && [m.webhooks.failingSince, <Time at={data.failing_since} />],
          [m.common.created, <Time at={data.created_time} />],
        ]} />{data.refused > 0 && <p className="note warn">{m.webhooks.refused(data.refused)}</p>}</div>
        <section className="card flush">
          <header><h2>{m.webhooks.calls}</h2></header>
          {calls.trouble ? <Trouble of={calls.trouble} again={calls.reload} /> : !calls.data ? <Waiting />
            : rows.length === 0 ? <Empty title={m.webhooks.noCalls} text={m.webhooks.noCallsText} />
            : <div className="scroll"><table className="list folds"><thead><tr><th>{m.common.time}</th><th>{m.webhooks.kinds}</th><th>{m.webhooks.status}</th><th className="num">{m.webhooks.took}</th><th><span className="sr">{m.common.details}</span></th></tr></thead>
              <tbody>{rows.map((row, i) => <tr key={i}><td><Time at={row.time} /></td><td>{tests.includes(row) ? <Badge>{m.webhooks.testCall}</Badge> : row.type}{row.events > 1 && <span className="muted"> × {row.events}</span>}</td>
                <td>{row.failure ? <Badge tone="bad">{row.status ?? m.webhooks.failure}</Badge> : <Badge tone="good">{row.status}</Badge>}</td><td className="num">{m.webhooks.ms(row.took_ms)}</td><td className="act"><Button tiny onClick={() => setShown(row)}>{m.common.details}</Button></td></tr>)}</tbody></table></div>}
        </section>
      </div>
      {shown && <Modal open close={() => setShown(null)} title={shown.type} wide>
        {shown.failure && <div className="note bad">{shown.failure}</div>}
        {shown.request && <div><h3>{m.webhooks.request}</h3><pre className="answer">{shown.request}</pre></div>}
        {shown.answer && <div><h3>{m.webhooks.answer}</h3><pre className="answer">{shown.answer}</pre></div>}
        <div className="row end"><Button onClick={() => setShown(null)}>{m.common.close}</Button></div>
      </Modal>}
      {removes && <ModalForm open close={() => setRemoves(false)} title={m.webhooks.removeTitle} text={m.webhooks.removeText} danger button={m.webhooks.remove}
        send={async () => { await api.delete('/webhooks/{webhook}', { path }); toast(m.webhooks.removed); go('/webhooks'); }} />}
    </>
  );
}
