// What is seen first: what needs somebody, what goes out now, how the last day went, whether domains are sound.
import { useEffect, useMemo } from 'react';
import { api, type Answer } from '../api/client';
import { Badge, ButtonLink, DomainName, Empty, PageHead, State, Time, Trouble, Waiting } from '../design/parts';
import { useMessages, useSpoken } from '../messages';
import { useLoad } from '../shell/load';
import { Link } from '../shell/router';
import { useSession } from '../shell/session';
import { Subject } from './subject';
import { attentionOf, type Concern, type DomainHealth, type Seen, sumOf } from './attention';

type Row = Answer<'/deliveries/all', 'get'>['data'][number];
type Going = Row & { progress: Answer<'/deliveries/{delivery_id}/progress', 'get'> };
const GOING = ['WAIT', 'SENDING', 'IMPORTING', 'RESERVE'] as const;
const GOING_MAX = 6;
// Their history is a request each.
const DOMAINS_MAX = 12;
const CAUSES_MAX = 50;
const AGAIN_MS = 20_000;

async function going(signal: AbortSignal): Promise<Going[]> {
  const { data } = await api.get('/deliveries/all', { query: { size: GOING_MAX, 'delivery_type[]': ['BULK'], 'status[]': [...GOING] }, signal });
  return Promise.all(data.map(async (row) => ({ ...row, progress: await api.get('/deliveries/{delivery_id}/progress', { path: { delivery_id: row.delivery_id }, signal }) })));
}

async function health(signal: AbortSignal): Promise<{ domains: DomainHealth[]; more: boolean }> {
  const { domains = [] } = await api.get('/domains', { query: { limit: DOMAINS_MAX + 1 }, signal });
  const asked = await Promise.all(domains.slice(0, DOMAINS_MAX).map(async ({ domain = '', state = '' }) => {
    if (state !== 'proven') return { domain, state, faults: [] };
    const found = await api.get('/domains/{domain}/history', { path: { domain }, signal });
    return { domain, state, outcome: found.checked ? found.outcome : undefined, checked: found.checked, faults: found.faults ?? [] };
  }));
  return { domains: asked, more: domains.length > DOMAINS_MAX };
}

export default function Overview() {
  const m = useMessages();
  const { language } = useSpoken();
  const { session, can } = useSession();
  const isAdmin = can('admin');
  const of = session.account ?? '';
  const day = useLoad(`overview:day:${of}:${language}`, (signal) => api.get('/explain', { query: { limit: CAUSES_MAX, lang: language }, signal }) as Promise<Seen['day']>);
  const rates = useLoad(`overview:rates:${of}`, (signal) => api.get('/rates', { signal }));
  const limits = useLoad(`overview:limits:${of}`, (signal) => api.get('/usages/days', { query: { days: 1 }, signal }));
  const now = useLoad(`overview:now:${of}`, going);
  const asked = useLoad(can('send') ? `overview:approvals:${of}` : null, (signal) => api.get('/deliveries/approvals', { signal }));
  const domains = useLoad(isAdmin ? `overview:domains:${of}` : null, health);
  const hooks = useLoad(isAdmin ? `overview:hooks:${of}` : null, (signal) => api.get('/webhooks', { signal }));
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) { now.reload(); asked.reload(); } }, AGAIN_MS);
    return () => clearInterval(timer);
  }, [now.reload, asked.reload]);
  const parts = [day, rates, limits, now, ...(can('send') ? [asked] : []), ...(isAdmin ? [domains, hooks] : [])];
  const isWhole = parts.every(({ data, trouble }) => data !== undefined || trouble !== undefined);
  const failed = parts.find(({ trouble }) => trouble);
  const concerns = attentionOf({ day: day.data, rates: rates.data?.rates, limits: limits.data?.limits, approvals: asked.data?.approvals, going: now.data, domains: domains.data?.domains, hooks: hooks.data?.data }, m, language);
  return (
    <>
      <PageHead title={m.overview.title} text={m.overview.text}>{can('send') && <ButtonLink href="/compose" first>{m.nav.compose}</ButtonLink>}</PageHead>
      {/* All at once, so that nothing moves. */}
      {!isWhole ? <div className="card"><Waiting rows={8} /></div> : (
        <div className="stack">
          <section className="card flush" aria-label={m.overview.attention}>
            <header><h2>{m.overview.attention}</h2>{concerns.length > 0 && <span className="muted">{m.overview.things(concerns.length)}</span>}</header>
            {failed && <div className="padded"><Trouble of={failed.trouble} again={() => parts.forEach(({ reload }) => reload())} /></div>}
            <Concerns all={concerns} isSure={!failed} />
          </section>
          {day.data && <Day day={day.data} />}
          <div className="split even">
            {day.data && <Receivers sites={day.data.sites} />}
            <div className="stack">
              {now.data && <Now rows={now.data} />}
              {domains.data && <Domains {...domains.data} />}
            </div>
          </div>
        </div>
      )}
    </>
  );
}

function Concerns({ all, isSure }: { all: Concern[]; isSure: boolean }) {
  const m = useMessages();
  if (all.length === 0) return isSure ? <div className="padded row"><Badge tone="good">{m.states.pass}</Badge><span>{m.overview.calm}</span></div> : null;
  return (
    <ul className="concerns">
      {all.map((each) => (
        <li key={each.key}>
          <Badge tone={each.tone}>{each.tone === 'bad' ? m.overview.now : m.overview.soon}</Badge>
          <div className="grow"><strong>{each.title}</strong>{each.why && <p>{each.why}</p>}{each.next && <p><strong>{m.why.action}: </strong>{each.next}</p>}</div>
          <Link href={each.href} aria-label={`${m.overview.open}: ${each.title}`}>{m.overview.open}</Link>
        </li>
      ))}
    </ul>
  );
}

function useNumbers() {
  const { language } = useSpoken();
  return useMemo(() => ({
    number: (value: number) => new Intl.NumberFormat(language).format(value),
    percent: (value: number) => new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 }).format(value),
  }), [language]);
}

function Day({ day }: { day: NonNullable<Seen['day']> }) {
  const m = useMessages();
  const { number, percent } = useNumbers();
  const sum = sumOf(day);
  const refused = (state: string) => (day.more ? m.overview.atLeast : number)(sum.byState[state] ?? 0);
  return (
    <section className="stack tight" aria-label={m.overview.day}>
      <h2>{m.overview.day}</h2>
      <dl className="figures">
        <div><dt>{m.overview.ended}</dt><dd>{number(sum.ended)}</dd></div>
        <div><dt>{m.states.delivered}</dt><dd>{number(sum.delivered)} {sum.ended > 0 && <span className="muted small">{percent(sum.delivered / sum.ended)}</span>}</dd></div>
        <div><dt>{m.states.bounced}</dt><dd>{refused('bounced')}</dd></div>
        <div><dt>{m.states.expired}</dt><dd>{refused('expired')}</dd></div>
        <div><dt>{m.overview.later}</dt><dd>{refused('deferred')}</dd></div>
      </dl>
    </section>
  );
}

const RECEIVERS_MAX = 12;

function Receivers({ sites }: { sites: NonNullable<Seen['day']>['sites'] }) {
  const m = useMessages();
  const { number, percent } = useNumbers();
  return (
    <section className="card flush">
      <header><h2>{m.overview.byReceiver}</h2></header>
      {sites.length === 0 ? <Empty title={m.overview.noMail} text={m.overview.noMailText} />
        : <table className="list"><thead><tr><th>{m.deliveries.receiver}</th><th className="num">{m.overview.ended}</th><th className="num">{m.states.delivered}</th><th><span className="sr">{m.deliveries.progress}</span></th></tr></thead>
          <tbody>{sites.slice(0, RECEIVERS_MAX).map((site) => (
            <tr key={site.site}>
              <td className="name">{site.site || m.deliveries.others}</td><td className="num">{number(site.ended)}</td>
              <td className="num">{site.ended > 0 ? percent(site.delivered / site.ended) : '–'}</td>
              <td className="gauge"><div className="meter"><i className="good" style={{ width: `${(100 * site.delivered) / Math.max(1, site.ended)}%` }} /><i className="bad" style={{ width: `${(100 * (site.ended - site.delivered)) / Math.max(1, site.ended)}%` }} /></div></td>
            </tr>
          ))}</tbody></table>}
    </section>
  );
}

function Now({ rows }: { rows: Going[] }) {
  const m = useMessages();
  const { number } = useNumbers();
  return (
    <section className="card flush">
      <header><h2>{m.overview.going}</h2><Link href="/deliveries">{m.deliveries.title}</Link></header>
      {rows.length === 0 ? <p className="muted padded">{m.overview.nothingGoing}</p>
        : <ul className="lines">{rows.map(({ delivery_id, subject, reservation_time, progress }) => {
          const done = progress.total - progress.pending - progress.deferred;
          return (
            <li key={delivery_id} className="stack tight">
              <div className="row apart"><Link className="grow cut" href={`/deliveries/${delivery_id}`}><Subject of={subject} /></Link><State of={progress.approval === 'waiting' ? 'approval' : progress.state} /></div>
              {progress.state === 'reserve' || progress.approval === 'waiting' ? <span className="muted small">{reservation_time && <>{progress.approval === 'waiting' ? m.approval.goes : m.deliveries.reservedFor} <Time at={reservation_time} /> · </>}{m.deliveries.mails(progress.total)}</span>
                : <><div className="meter" role="progressbar" aria-label={subject || m.common.noSubject} aria-valuemin={0} aria-valuemax={progress.total} aria-valuenow={done}><i className="bar" style={{ width: `${(100 * done) / Math.max(1, progress.total)}%` }} /></div>
                  <span className="muted small">{number(done)} / {number(progress.total)}</span></>}
            </li>
          );
        })}</ul>}
    </section>
  );
}

function Domains({ domains, more }: { domains: DomainHealth[]; more: boolean }) {
  const m = useMessages();
  return (
    <section className="card flush">
      <header><h2>{m.overview.domains}</h2><Link href="/domains">{m.domains.title}</Link></header>
      {domains.length === 0 ? <Empty title={m.domains.emptyTitle} text={m.domains.emptyText}><ButtonLink href="/domains" first>{m.domains.add}</ButtonLink></Empty>
        : <ul className="lines">{domains.map((each) => (
          <li key={each.domain} className="row apart"><Link href={`/domains/${encodeURIComponent(each.domain)}`}><DomainName of={each.domain} /></Link>
            <span className="row">{each.state !== 'proven' ? <State of={each.state} /> : each.outcome ? <State of={each.outcome} /> : <span className="muted small">{m.domains.noChecks}</span>}</span></li>
        ))}{more && <li className="muted small">{m.overview.moreDomains}</li>}</ul>}
    </section>
  );
}
