// Writing a bulk mail: content beside what a reader gets, the list, the check, and when it goes. What is typed is kept at
// the door, so that nothing is lost by a closed tab or an ended sign-in; at sign-out it is gone.
import { useEffect, useRef, useState } from 'react';
import { api } from '../api/client';
import { own } from '../api/door';
import { Area, Badge, Button, Facts, Input, PageHead, Select, Tabs, toast, Trouble, troubleText, Waiting } from '../design/parts';
import { HtmlFrame } from '../design/preview';
import { useMessages, useSpoken } from '../messages';
import { type Loaded, useLoad, useSettled } from '../shell/load';
import { useSession } from '../shell/session';
import { type Draft, EMPTY, isReadable, keysOf, sampleOf, shownCode, type TemplateOf } from './draft';
import { Launch } from './launch';
import { Recipients } from './recipients';

const KEEP_MS = 800;

export default function Compose() {
  const { session } = useSession();
  const place = `compose:${session.account ?? ''}`;
  const kept = useLoad(`kept:${place}`, () => own.text<Draft>(place));
  const [turn, setTurn] = useState(0);
  const [begun, setBegun] = useState<Draft | null>(null);
  // What was seen before is not what is kept now.
  if (kept.loading) return <div className="card"><Waiting rows={8} /></div>;
  if (kept.trouble) return <Trouble of={kept.trouble} again={kept.reload} />;
  const first = begun ?? { ...EMPTY, ...kept.data };
  return <Editor key={turn} first={first} place={place} anew={(draft) => { setBegun(draft); setTurn((was) => was + 1); }} />;
}

/** Keeps what changes once somebody pauses, and what is left when the page is left. */
function useKept(place: string, first: Draft): [Draft, (change: Partial<Draft>) => void, () => void, boolean] {
  const [draft, setDraft] = useState(first);
  const [isKept, setKept] = useState(true);
  const pending = useRef<{ timer: ReturnType<typeof setTimeout>; draft: Draft } | null>(null);
  const ended = useRef(false);
  const latest = useRef(first);
  const keep = () => {
    const now = pending.current;
    pending.current = null;
    if (now) void own.keepText(place, now.draft).then(() => pending.current || setKept(true), () => undefined);
  };
  const change = (some: Partial<Draft>) => {
    const next = { ...latest.current, ...some };
    latest.current = next;
    setDraft(next);
    if (ended.current) return;
    setKept(false);
    if (pending.current) clearTimeout(pending.current.timer);
    pending.current = { timer: setTimeout(keep, KEEP_MS), draft: next };
  };
  const end = () => {
    ended.current = true;
    if (pending.current) clearTimeout(pending.current.timer);
    pending.current = null;
    void own.dropText(place).catch(() => undefined);
  };
  useEffect(() => () => {
    if (pending.current) clearTimeout(pending.current.timer);
    keep();
  }, []);
  return [draft, change, end, isKept];
}

function Editor({ first, place, anew }: { first: Draft; place: string; anew: (draft: Draft) => void }) {
  const m = useMessages();
  const [draft, change, end, isKept] = useKept(place, first);
  const [row, setRow] = useState<Record<string, string> | undefined>();
  const template = useLoad(draft.template ? `template:${draft.template}:undefined` : null, (signal) => api.get('/templates/{template}', { path: { template: draft.template }, query: {}, signal }));
  const discard = () => {
    const gone = draft;
    end();
    if (gone.id) void api.delete('/deliveries/{delivery_id}', { path: { delivery_id: gone.id } }).catch((found: unknown) => toast(troubleText(m, found)[0] ?? ''));
    anew(EMPTY);
    toast(m.compose.discarded, () => {
      const back = { ...gone, id: undefined, recipients: undefined, file: undefined };
      void own.keepText(place, back).then(() => anew(back));
    });
  };
  const isEmpty = JSON.stringify(draft) === JSON.stringify(EMPTY);
  const keys = keysOf(draft, template.data);
  return (
    <>
      <PageHead title={m.compose.title} text={m.compose.text}>
        {!isEmpty && <span className="muted small" role="status">{isKept ? m.compose.kept : m.compose.keeping}</span>}
        {!isEmpty && <Button onClick={discard}>{m.compose.discard}</Button>}
      </PageHead>
      <div className="stack">
        <div className="split even">
          <Content draft={draft} change={change} template={template} keys={keys} />
          <Seen draft={draft} template={template.data} row={row} />
        </div>
        <Recipients draft={draft} change={change} keys={keys} setRow={setRow} />
        <Launch draft={draft} change={change} template={template.data} row={row} left={end} />
      </div>
    </>
  );
}

function Content({ draft, change, template, keys }: { draft: Draft; change: (some: Partial<Draft>) => void; template: Loaded<TemplateOf>; keys: string[] }) {
  const m = useMessages();
  const { session } = useSession();
  const templates = useLoad(`compose:templates:${session.account}`, (signal) => api.get('/templates', { query: { limit: 1000 }, signal }));
  // Senders of the latest deliveries: which domains are proven is for owners alone to see.
  const senders = useLoad(`compose:senders:${session.account}`, (signal) => api.get('/deliveries/all', { query: { size: 50 }, signal }));
  const known = [...new Set((senders.data?.data ?? []).map(({ from }) => from.email))].slice(0, 10);
  const options = [['', m.compose.ownText] as const, ...(templates.data?.data ?? []).map(({ template_id, name }) => [String(template_id), name] as const)];
  const set = (name: keyof Draft) => (event: { target: { value: string } }) => change({ [name]: event.target.value });
  return (
    <section className="card stack" aria-label={m.compose.content}>
      <h2>{m.compose.content}</h2>
      <Select label={m.compose.made} value={draft.template} onChange={set('template')} options={options} />
      <Input label={m.compose.sender} type="email" required={!draft.template} list="senders" maxLength={254} placeholder={template.data?.from?.email ?? 'news@example.jp'} hint={m.compose.senderHint} value={draft.from} onChange={set('from')} />
      <datalist id="senders">{known.map((email) => <option key={email} value={email} />)}</datalist>
      <Input label={m.compose.senderName} maxLength={50} value={draft.name} onChange={set('name')} />
      {draft.template ? (
        <>
          {template.trouble ? <Trouble of={template.trouble} again={template.reload} /> : template.data && <Facts rows={[[m.common.subject, template.data.subject]]} />}
          <p className="muted small">{m.compose.templateText}</p>
        </>
      ) : (
        <>
          <Input label={m.common.subject} required maxLength={256} value={draft.subject} onChange={set('subject')} />
          <Area label={m.deliveries.text_} rows={8} maxLength={30_720} hint={m.compose.codesHint} value={draft.text} onChange={set('text')} />
          <Area label={m.compose.html} className="input mono" rows={8} maxLength={71_680} spellCheck={false} value={draft.html} onChange={set('html')} />
        </>
      )}
      {keys.length > 0 && <p className="row">{m.templates.codes}: {keys.map((key) => <code key={key}>{shownCode(key)}</code>)}</p>}
      <Select label={m.compose.purpose} hint={m.compose.purposeHint} value={draft.purpose} onChange={set('purpose')} options={[['advertisement', m.compose.purposes.advertisement], ['notice', m.compose.purposes.notice]]} />
    </section>
  );
}

function Seen({ draft, template, row }: { draft: Draft; template: TemplateOf | undefined; row: Record<string, string> | undefined }) {
  const m = useMessages();
  const { language } = useSpoken();
  const [now, setNow] = useState('html');
  const [phone, setPhone] = useState(false);
  const [night, setNight] = useState(false);
  const isReady = isReadable(draft) && (!draft.template || template !== undefined);
  const sample = useSettled(isReady ? JSON.stringify({ ...sampleOf(draft, template, row), purpose: draft.purpose, email: row?.email || undefined }) : '');
  const { data, trouble, reload } = useLoad(sample ? `compose:preview:${sample}` : null, (signal) => api.post('/deliveries/-/preview', { body: JSON.parse(sample) as object, signal }));
  const lint = useLoad(sample ? `compose:lint:${language}:${sample}` : null, (signal) => api.post('/deliveries/-/lint', { body: JSON.parse(sample) as object, signal }));
  // The one before stays while the next is made, so that nothing flickers.
  const last = useRef(data);
  if (data) last.current = data;
  const mail = sample ? (data ?? last.current) : undefined;
  const said = (lint.data?.findings ?? []).filter(({ outcome }) => outcome === 'fail' || outcome === 'warning');
  const tabs = mail && [
    { id: 'html', title: m.deliveries.html, body: () => mail.html_part !== null ? <HtmlFrame html={mail.html_part} title={mail.subject} phone={phone} night={night} /> : <p className="muted">{m.deliveries.noHtml}</p> },
    { id: 'text', title: m.deliveries.text_, body: () => mail.text_part !== null ? <pre className={phone ? 'answer phone' : 'answer'}>{mail.text_part}</pre> : <p className="muted">{m.deliveries.noText}</p> },
  ];
  return (
    <section className="card stack follows" aria-label={m.compose.preview}>
      <div className="row apart"><h2>{m.compose.preview}</h2>
        <div className="row" role="group" aria-label={m.compose.views}>
          <Button tiny aria-pressed={phone} onClick={() => setPhone(!phone)}>{m.deliveries.phone}</Button>
          <Button tiny aria-pressed={night} onClick={() => setNight(!night)}>{m.nav.dark}</Button>
        </div>
      </div>
      {trouble ? <Trouble of={trouble} again={reload} /> : !sample ? <p className="muted">{m.compose.previewNone}</p> : !mail || !tabs ? <Waiting rows={6} /> : (
        <>
          <Facts rows={[[m.common.subject, <strong>{mail.subject || m.common.noSubject}</strong>], [m.common.to, row ? mail.email : m.compose.sample]]} />
          <Tabs label={m.compose.preview} tabs={tabs} now={mail.html_part === null && now === 'html' ? 'text' : now} choose={setNow} />
        </>
      )}
      {said.length > 0 && <ul className="stack tight" aria-label={m.compose.hints}>{said.map((each, i) => <li key={i} className="row nowrap top"><Badge tone={each.outcome === 'fail' ? 'bad' : 'warn'}>{m.states[each.outcome]}</Badge><span className="grow">{each.sentence || each.advice}</span></li>)}</ul>}
    </section>
  );
}
