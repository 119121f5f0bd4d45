// To whom the account sends nothing, and why; adding, releasing with a reason, a list as CSV.
import { useState } from 'react';
import { api, type Answer, call, fileOf } from '../api/client';
import type { components } from '../api/schema';
import { Area, Button, Empty, Form, Input, ModalForm, PageHead, Select, Time, toast, Trouble, Waiting, Badge } from '../design/parts';
import { useMessages } from '../messages';
import { useLoad } from '../shell/load';
import { useQuery } from '../shell/router';

type Entry = components['schemas']['Suppression'];
type Imported = Answer<'/suppressions/import', 'post'>;
const REASONS = ['manual', 'unsubscribe', 'complaint', 'hard_error'] as const;
const LIMIT = 100;

export default function Suppression() {
  const m = useMessages();
  const [query, change] = useQuery();
  const email = query.get('email') ?? '';
  const cursor = query.get('cursor') ?? '';
  const [typed, setTyped] = useState(email);
  const isWhole = !email || /[@.]/.test(email);
  const [dialog, setDialog] = useState<'add' | 'import' | Entry | null>(null);
  const { data, trouble, loading, reload } = useLoad(isWhole ? `suppressions:${email}:${cursor}` : null, (signal) => api.get('/suppressions', { query: { email, cursor, limit: LIMIT }, signal }));
  const close = () => setDialog(null);
  const rows = data?.data ?? [];
  return (
    <>
      <PageHead title={m.suppressions.title} text={m.suppressions.text}>
        <a className="button" href={fileOf('/suppressions/export')} download="suppressions.csv">{m.common.export}</a>
        <Button onClick={() => setDialog('import')}>{m.suppressions.import}</Button>
        <Button first onClick={() => setDialog('add')}>{m.common.add}</Button>
      </PageHead>
      <Form className="filters" send={() => change({ email: typed.trim(), cursor: null })}>
        <Input label={m.suppressions.searchLabel} hideLabel type="search" placeholder={m.suppressions.searchLabel} maxLength={254} value={typed} onChange={(e) => setTyped(e.target.value)} />
        <Button type="submit">{m.common.search}</Button>
        {email && <Button plain onClick={() => { setTyped(''); change({ email: null, cursor: null }); }}>{m.common.clear}</Button>}
      </Form>
      <div className="card flush">
        {!isWhole ? <Empty title={m.suppressions.notWhole(email)} text={m.suppressions.notWholeText} /> : trouble ? <Trouble of={trouble} again={reload} /> : !data ? loading && <Waiting rows={6} />
          : rows.length === 0 && !data.next ? (email ? <Empty title={m.suppressions.free(email)} text={m.suppressions.freeText} /> : <Empty title={m.suppressions.emptyTitle} text={m.suppressions.emptyText}><Button first onClick={() => setDialog('add')}>{m.common.add}</Button></Empty>)
          : <div className="scroll"><table className="list folds">
            <thead><tr><th>{m.common.emailShort}</th><th>{m.suppressions.reason}</th><th>{m.suppressions.scope}</th><th>{m.common.created}</th><th>{m.suppressions.until}</th><th><span className="sr">{m.common.actions}</span></th></tr></thead>
            <tbody>{rows.map((row, i) => (
              <tr key={i}>
                <td className="full"><div>{row.email}</div>{(row.note || row.cause) && <div className="muted small">{[row.note, row.cause && `${row.cause.response_code} ${row.cause.response_message}`].filter(Boolean).join(' · ')}</div>}</td>
                <td><Badge tone={row.reason === 'complaint' ? 'bad' : row.reason === 'manual' || row.reason === 'imported' ? 'calm' : 'warn'}>{m.suppressions.reasons[row.reason]}</Badge></td>
                <td className="muted">{m.suppressions.scopes[row.scope]}{row.list_id && ` (${row.list_id})`}{row.of === 'installation' && <div className="small">{m.suppressions.installation}</div>}</td>
                <td><Time at={row.created_time} /></td>
                <td>{row.expires_time ? <Time at={row.expires_time} /> : <span className="muted">{m.suppressions.forever}</span>}</td>
                <td className="act">{row.of === 'account' && <Button tiny onClick={() => setDialog(row)}>{m.suppressions.release}</Button>}</td>
              </tr>
            ))}</tbody>
          </table></div>}
        {(cursor || data?.next) && <div className="more"><Button disabled={!cursor} onClick={() => history.back()}>{m.common.back}</Button><Button disabled={!data?.next} onClick={() => change({ cursor: data?.next ?? null })}>{m.common.more}</Button></div>}
      </div>
      {!!data?.removed?.length && <section className="card stack past"><h2>{m.suppressions.history}</h2><ol className="story">{data.removed.map((each, i) => <li key={i}><div className="row"><strong>{m.suppressions.reasons[each.reason]}</strong><span className="muted small"><Time at={each.time} /> · {m.suppressions.by(each.actor)}</span></div>{each.why && <p>{each.why}</p>}</li>)}</ol></section>}
      {dialog === 'add' && <Add email={email} close={close} done={reload} />}
      {dialog === 'import' && <Import close={close} done={reload} />}
      {dialog && typeof dialog === 'object' && <Release entry={dialog} close={close} done={reload} />}
    </>
  );
}

function Add({ email, close, done }: { email: string; close: () => void; done: () => void }) {
  const m = useMessages();
  const [given, setGiven] = useState({ email, reason: 'manual' as (typeof REASONS)[number], note: '', days: '' });
  const send = async () => {
    const answer = await api.post('/suppressions', { body: { email: given.email.trim(), reason: given.reason, note: given.note || undefined, days: given.days ? Number(given.days) : undefined } });
    toast(answer.added ? m.suppressions.added(answer.email) : m.suppressions.changed(answer.email));
    close();
    done();
  };
  return (
    <ModalForm open close={close} title={m.suppressions.addTitle} button={m.common.add} send={send}>
      <Input label={m.suppressions.searchLabel} required autoFocus maxLength={254} value={given.email} onChange={(e) => setGiven({ ...given, email: e.target.value })} />
      <Select label={m.suppressions.reason} value={given.reason} onChange={(e) => setGiven({ ...given, reason: e.target.value as typeof given.reason })} options={REASONS.map((each) => [each, m.suppressions.reasons[each] ?? each] as const)} />
      {(given.reason === 'manual' || given.reason === 'hard_error') && <Input label={m.suppressions.days} hint={m.suppressions.daysHint} type="number" min={1} max={3650} value={given.days} onChange={(e) => setGiven({ ...given, days: e.target.value })} />}
      <Area label={m.suppressions.note} maxLength={500} value={given.note} onChange={(e) => setGiven({ ...given, note: e.target.value })} />
    </ModalForm>
  );
}

function Release({ entry, close, done }: { entry: Entry; close: () => void; done: () => void }) {
  const m = useMessages();
  const [why, setWhy] = useState('');
  const needed = entry.reason === 'complaint' || entry.reason === 'unsubscribe';
  const send = async () => {
    await api.delete('/suppressions', { query: { email: entry.email, reason: entry.reason, list_id: entry.list_id, why: why.trim() || undefined } });
    const again = needed ? undefined : () => void api.post('/suppressions', { body: { email: entry.email, reason: entry.reason, scope: entry.scope, list_id: entry.list_id, note: entry.note } }).then(done);
    toast(m.suppressions.released(entry.email), again);
    close();
    done();
  };
  return (
    <ModalForm open close={close} title={m.suppressions.releaseTitle(entry.email)} text={m.suppressions.releaseText} button={m.suppressions.release} send={send}>
      <Area label={m.suppressions.whyLabel} required={needed} autoFocus hint={needed ? undefined : m.common.optional} value={why} onChange={(e) => setWhy(e.target.value)} />
    </ModalForm>
  );
}

function Import({ close, done }: { close: () => void; done: () => void }) {
  const m = useMessages();
  const [file, setFile] = useState<File | null>(null);
  const [result, setResult] = useState<Imported | null>(null);
  const send = async () => {
    if (!file) return;
    setResult(await call<Imported>('POST', '/api/v1/suppressions/import', new Blob([file], { type: 'text/csv' })));
    done();
  };
  return (
    <ModalForm open close={close} title={m.suppressions.importTitle} text={m.suppressions.importText} button={m.suppressions.import} send={send}>
      <Input label={m.suppressions.file} type="file" accept=".csv,text/csv" required onChange={(e) => setFile(e.target.files?.[0] ?? null)} />
      {result && <div className={result.failed ? 'note warn' : 'note good'} role="status"><p>{m.suppressions.imported(result.added, result.changed, result.failed)}</p>
        <ul>{result.errors.slice(0, 20).map((error) => <li key={error.row}>{m.suppressions.row(error.row)}: {error.message}</li>)}</ul></div>}
    </ModalForm>
  );
}
