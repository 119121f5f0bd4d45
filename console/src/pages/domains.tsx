// From which domains the account may send: the record to publish, whether it is there, what regular checks found.
import { useState } from 'react';
import { api } from '../api/client';
import { Badge, Button, Copy, Empty, Facts, Input, ModalForm, PageHead, State, Time, toast, Trouble, useAction, Waiting } from '../design/parts';
import { useMessages, useSpoken } from '../messages';
import type { PageProps } from '../shell/frame';
import { useLoad } from '../shell/load';
import { go, Link } from '../shell/router';
import { domainIn } from './ask';

type Domain = NonNullable<Awaited<ReturnType<typeof listed>>['domains']>[number];
const listed = (signal?: AbortSignal) => api.get('/domains', { query: { limit: 1000 }, signal });

export default function Domains({ rest }: PageProps) {
  const m = useMessages();
  const { data, trouble, loading, reload } = useLoad('domains', listed);
  if (trouble) return <Trouble of={trouble} again={reload} />;
  const domains = data?.domains;
  const chosen = rest[0] && domains?.find(({ domain }) => domain === rest[0]);
  if (rest[0] && domains && !chosen) return <div className="card"><Empty title={m.trouble.notThere} text={m.trouble.missing}><Link href="/domains">{m.common.back}</Link></Empty></div>;
  if (chosen) return <One domain={chosen} changed={reload} />;
  return <List domains={domains} loading={loading} changed={reload} />;
}

function List({ domains, loading, changed }: { domains: Domain[] | undefined; loading: boolean; changed: () => void }) {
  const m = useMessages();
  const [adds, setAdds] = useState(false);
  const [name, setName] = useState('');
  const add = async () => {
    const made = await api.post('/domains', { body: { domain: domainIn(name) } });
    setAdds(false);
    changed();
    go(`/domains/${encodeURIComponent(made.domain ?? domainIn(name))}`);
  };
  return (
    <>
      <PageHead title={m.domains.title} text={m.domains.text}>{domains && domains.length > 0 && <Button first onClick={() => setAdds(true)}>{m.domains.add}</Button>}</PageHead>
      <div className="card flush">
        {!domains ? loading && <Waiting />
          : domains.length === 0 ? <Empty title={m.domains.emptyTitle} text={m.domains.emptyText}><Button first onClick={() => setAdds(true)}>{m.domains.add}</Button></Empty>
          : <table className="list"><thead><tr><th>{m.domains.domain}</th><th>{m.common.state}</th></tr></thead>
            <tbody>{domains.map((each) => (
              <tr key={each.domain}><td><Link href={`/domains/${encodeURIComponent(each.domain ?? '')}`}>{each.domain}</Link></td>
                <td><div className="row"><State of={each.state ?? ''} />{each.vouched && <Badge tone="good">{m.domains.vouched}</Badge>}</div></td></tr>
            ))}</tbody></table>}
      </div>
      {adds && <ModalForm open close={() => setAdds(false)} title={m.domains.addTitle} text={m.domains.addText} button={m.domains.add} send={add}>
        <Input label={m.domains.domain} required autoFocus placeholder="example.jp" autoCapitalize="off" spellCheck={false} hint={name.trim() && domainIn(name) !== name.trim() ? m.domains.meant(domainIn(name)) : undefined} value={name} onChange={(e) => setName(e.target.value)} />
      </ModalForm>}
    </>
  );
}

function One({ domain: each, changed }: { domain: Domain; changed: () => void }) {
  const m = useMessages();
  const name = each.domain ?? '';
  const path = { domain: name };
  const { busy, trouble, run } = useAction();
  const [found, setFound] = useState<Awaited<ReturnType<typeof verify>> | null>(null);
  const [removes, setRemoves] = useState(false);
  const verify = () => api.post('/domains/{domain}/verify', { path });
  const check = () => void run(async () => { setFound(await verify()); changed(); });
  return (
    <>
      <PageHead title={<>{name} <State of={each.state ?? ''} /></>} text={<Link href="/domains">{m.domains.title}</Link>}>
        <Button danger onClick={() => setRemoves(true)}>{m.domains.remove}</Button>
      </PageHead>
      <div className="stack">
        <section className="card stack">
          <div><h2>{m.domains.record}</h2><p className="muted">{each.state === 'proven' ? m.domains.recordStays : m.domains.recordText}</p></div>
          <div className="stack tight">
            <RecordLines type="TXT" name={each.dns_name} value={each.dns_record} />
          </div>
          <details><summary>{m.domains.zone}</summary><div className="row nowrap"><pre className="answer grow">{each.zone_entry}</pre><Copy text={each.zone_entry ?? ''} /></div></details>
          <div className="row"><Button first busy={busy} onClick={check}>{m.domains.check}</Button></div>
          <div aria-live="polite" className="stack tight">
            <Trouble of={trouble} />
            {found && (found.record_found && found.state === 'proven' ? <div className="note good">{m.domains.found}</div>
              : found.needs_consent ? <div className="note warn">{m.domains.consent(found.needs_consent)}</div>
              : <div className="note warn"><p>{found.trouble || m.domains.notFound}</p>{found.found_instead && <><p className="small">{m.domains.instead}:</p><div className="answer">{found.found_instead}</div></>}</div>)}
          </div>
        </section>
        <Records name={name} proven={each.state === 'proven'} />
        <Health name={name} />
      </div>
      {removes && <ModalForm open close={() => setRemoves(false)} title={m.domains.removeTitle(name)} text={m.domains.removeText} button={m.domains.remove} danger
        send={async () => { await api.delete('/domains/{domain}', { path }); toast(m.domains.removed(name)); changed(); go('/domains'); }} />}
    </>
  );
}

/** What a DNS panel asks for, each to be copied. */
function RecordLines({ type = '', name = '', value = '' }: { type?: string; name?: string; value?: string }) {
  const m = useMessages();
  return <>{[[m.domains.type, type], [m.domains.host, name], [m.domains.value, value]].map(([label = '', text = '']) => (
    <div className="record" key={label}><span className="muted small">{label}</span><code>{text}</code><Copy text={text} /></div>
  ))}</>;
}

type Wanted = NonNullable<Awaited<ReturnType<typeof wanted>>['records']>[number];
const wanted = (name: string, signal?: AbortSignal) => api.get('/domains/{domain}/records', { path: { domain: name }, signal });

/** Published ones need no more than a line; what is to be done stands open, with what to copy. */
function Records({ name, proven }: { name: string; proven: boolean }) {
  const m = useMessages();
  const { data, trouble, loading, reload } = useLoad(`records:${name}:${proven}`, (signal) => wanted(name, signal));
  const { busy, trouble: refused, run } = useAction();
  const make = () => void run(async () => {
    await api.post('/domains/{domain}/keys', { path: { domain: name } });
    toast(m.domains.keysMade);
    reload();
  });
  // The proof has a card of its own.
  const records = data?.records?.filter((each) => !each.name?.startsWith('_todoku-challenge.'));
  return (
    <section className="card stack">
      <div><h2>{m.domains.others}</h2><p className="muted">{m.domains.othersText}</p></div>
      {trouble ? <Trouble of={trouble} again={reload} /> : !records ? loading && <Waiting rows={4} /> : <>
        {data?.checked ? <p className="small muted">{m.domains.seen} <Time at={data.checked} /></p> : <p className="small muted">{proven ? m.domains.seenSoon : m.domains.seenLater}</p>}
        {data?.has_keys === false && <div className="note warn stack tight"><p>{m.domains.noKeys}</p><div className="row"><Button first busy={busy} onClick={make}>{m.domains.makeKeys}</Button></div></div>}
        <Trouble of={refused} />
        {!!data?.unknown_sources?.length && <div className="note warn"><p>{m.domains.unknownSources(data.unknown_sources.join(', '))}</p></div>}
        {records.map((each, i) => <Needed key={i} record={each} />)}
      </>}
    </section>
  );
}

function Needed({ record: each }: { record: Wanted }) {
  const m = useMessages();
  const { language } = useSpoken();
  const state = each.state ?? 'not_checked';
  const tone = state === 'published' ? 'good' : each.optional || state === 'not_checked' ? 'calm' : 'bad';
  const rest = <div className="stack tight">
    {each.problem ? <div className="note bad"><p>{language === 'ja' ? each.problem_ja : each.problem}</p></div> : <>
      {state === 'different' && <p className="small">{m.domains.replaces}</p>}
      {each.elsewhere && <p className="small">{m.domains.elsewhere}</p>}
      <RecordLines type={each.type} name={each.name} value={each.value} />
    </>}
  </div>;
  return (
    <details className="needed" open={!each.optional && (state === 'missing' || state === 'different')}>
      <summary><Badge tone={tone}>{m.domains.recordStates[state] ?? state}</Badge> {language === 'ja' ? each.purpose_ja : each.purpose}{each.optional && <span className="muted small"> {m.common.optional}</span>}</summary>
      {rest}
    </details>
  );
}

function Health({ name }: { name: string }) {
  const m = useMessages();
  const { language } = useSpoken();
  const { data, trouble, loading, reload } = useLoad(`history:${name}`, (signal) => api.get('/domains/{domain}/history', { path: { domain: name }, signal }));
  const say = (line: { sentence?: string; sentence_ja?: string }) => (language === 'ja' ? line.sentence_ja : line.sentence) ?? line.sentence ?? '';
  return (
    <section className="card stack">
      <div className="row apart"><div><h2>{m.domains.health}</h2><p className="muted">{m.domains.healthText}</p></div>{data?.outcome && data.checked && <State of={data.outcome} />}</div>
      {trouble ? <Trouble of={trouble} again={reload} /> : !data ? loading && <Waiting rows={2} />
        : !data.checked ? <Empty title={m.domains.noChecks} text={data.not_checked === 'switched_off' ? m.domains.switchedOff : data.not_checked === 'not_proven' ? m.domains.noChecksText : m.domains.firstCheck} />
        : <>
          {data.faults?.length ? data.faults.map((fault, i) => <div className={`note ${fault.outcome === 'fail' ? 'bad' : 'warn'}`} key={i}><p>{say(fault)}</p>{fault.since && <p className="small">{m.domains.since} <Time at={fault.since} /></p>}</div>)
            : data.determined === false || data.outcome === 'not_determined' ? <div className="note warn"><p>{m.domains.notDetermined}</p></div>
            : <p>{m.domains.whole}</p>}
          {data.not_checked && <div className="note warn"><p>{data.not_checked === 'switched_off' ? m.domains.switchedOff : m.domains.noChecksText}</p></div>}
          <Facts rows={[[m.domains.lastCheck, <Time at={data.checked} />], data.next && [m.domains.nextCheck, <Time at={data.next} />]]} />
          {!!data.changes?.length && <div className="stack tight"><h3>{m.domains.changes}</h3><ol className="story">{data.changes.map((change, i) => (
            <li key={i} className={change.change === 'whole' ? 'good' : 'bad'}><div className="row"><Badge tone={change.change === 'whole' ? 'good' : 'bad'}>{change.change === 'whole' ? m.domains.mended : m.domains.broken}</Badge><span className="muted small"><Time at={change.at} /></span></div><p>{say(change)}</p></li>
          ))}</ol></div>}
        </>}
    </section>
  );
}
