// One delivery: how far it is, live; its recipients; what failed and why; what it says.
import { useEffect, useMemo, useState } from 'react';
import { api, type Answer, frameOf, queryOf, Refused } from '../api/client';
import type { components } from '../api/schema';
import { type Link as Connection, watch } from '../api/stream';
import { exact, instantOf, span } from '../design/format';
import { Badge, Button, ButtonLink, Empty, Facts, Lacks, Modal, noMoreUndo, PageHead, Scroll, Select, State, Tabs, Time, toast, Trouble, useAction, Waiting } from '../design/parts';
import { Preview } from '../design/preview';
import { useMessages, useSpoken } from '../messages';
import { useLoad } from '../shell/load';
import { Link, useQuery } from '../shell/router';
import { useSession } from '../shell/session';
import { ApprovalCard, useApproval } from './approval';
import { Subject } from './subject';

type Progress = Answer<'/deliveries/{delivery_id}/progress', 'get'>;
type Live = Extract<components['schemas']['WatchedProgress'], { speed: unknown }>;
type Head = Answer<'/deliveries/{delivery_id}', 'get'>;
const OVER = new Set(['sent', 'stopped', 'failed', 'deleted']);

function useLive(id: number, first: Progress | undefined): { progress: Progress | undefined; live: Live | undefined; link: Connection | null } {
  const [live, setLive] = useState<Live>();
  const [link, setLink] = useState<Connection | null>(null);
  const isMoving = first !== undefined && !OVER.has(first.state) && first.state !== 'edit';
  useEffect(() => {
    if (!isMoving) return;
    const end = watch(
      `/api/v1/events${queryOf({ delivery_id: id, progress: true, 'kind[]': ['delivery_finished'] })}`,
      ({ type, data }) => {
        if (type !== 'progress') return;
        const told = JSON.parse(data) as Live;
        setLive(told);
        if (OVER.has(told.state)) end();
      },
      setLink,
    );
    return end;
  }, [id, isMoving]);
  const isOver = live !== undefined && OVER.has(live.state);
  // What was asked after the stream ended is newer than its last word: it is over, or a draft again.
  return { progress: live && 'total' in live && isMoving ? live : first, live, link: isMoving && !isOver && live?.state !== 'stopping' ? link : null };
}

export default function Delivery({ id }: { id: number }) {
  const m = useMessages();
  const { can } = useSession();
  const [query, change] = useQuery();
  const head = useLoad(`delivery:${id}`, (signal) => api.get('/deliveries/{delivery_id}', { path: { delivery_id: id }, query: { without_text: true }, signal }));
  const first = useLoad(`progress:${id}`, (signal) => api.get('/deliveries/{delivery_id}/progress', { path: { delivery_id: id }, signal }));
  const isBulk = head.data?.delivery_type === 'BULK';
  const { progress, live, link } = useLive(id, first.data);
  const isAsked = isBulk && progress != null && progress.approval !== null;
  const approval = useApproval(id, isAsked ? progress.approval : null);
  const reload = () => { head.reload(); first.reload(); approval.reload(); };
  const trouble = head.trouble ?? first.trouble;
  if (trouble instanceof Refused && trouble.status === 404)
    return <div className="card"><Empty title={m.deliveries.noSuch(id)} text={m.trouble.missing}><ButtonLink href="/deliveries" first>{m.deliveries.toList}</ButtonLink></Empty></div>;
  if (trouble) return <Trouble of={trouble} again={reload} />;
  // All at once, so that nothing moves.
  if (!head.data || !progress || (isAsked && approval.data === undefined && !approval.trouble)) return <div className="card"><Waiting rows={6} /></div>;
  const tabs = [
    { id: 'overview', title: m.deliveries.overview, body: () => <Overview head={head.data as Head} progress={progress} live={live} link={link} /> },
    { id: 'recipients', title: m.deliveries.recipients, body: () => <Recipients id={id} /> },
    { id: 'failures', title: m.deliveries.failures, body: () => <Failures id={id} /> },
    ...(can('content') || query.get('tab') === 'content' ? [{ id: 'content', title: m.deliveries.content, body: () => can('content') ? <Content id={id} /> : <Lacks scope="content" /> }] : []),
  ];
  const tab = tabs.find(({ id: each }) => each === query.get('tab'))?.id ?? 'overview';
  return (
    <>
      <PageHead
        title={<><Subject of={head.data.subject} /> <State of={progress.approval === 'waiting' ? 'approval' : progress.state} /></>}
        text={`${m.deliveries.detail(id)} · ${m.types[head.data.delivery_type]} · ${head.data.from.name ? `${head.data.from.name} <${head.data.from.email}>` : head.data.from.email}`}
      >
        {can('send') && <Actions id={id} progress={progress} isBulk={isBulk} isAsked={approval.data?.approval.state === 'waiting'} done={reload} />}
      </PageHead>
      <div className="stack">
        {isAsked && approval.trouble != null && <div className="card"><Trouble of={approval.trouble} again={approval.reload} /></div>}
        {isAsked && approval.data && <ApprovalCard of={approval.data} done={reload} />}
        <Tabs label={m.deliveries.detail(id)} tabs={tabs} now={tab} choose={(tab) => change({ tab: tab === 'overview' ? null : tab, status: null, after: null })} />
      </div>
    </>
  );
}

function Actions({ id, progress, isBulk, isAsked, done }: { id: number; progress: Progress; isBulk: boolean; isAsked: boolean; done: () => void }) {
  const m = useMessages();
  const { busy, trouble, run } = useAction();
  const [asks, setAsks] = useState(false);
  const path = { delivery_id: id };
  const act = (action: () => Promise<unknown>, text: string, undo?: () => void) => void run(async () => { noMoreUndo(); await action(); toast(text, undo); done(); });
  const pause = () => act(() => api.post('/deliveries/{delivery_id}/pause', { path }), m.deliveries.paused, resume);
  function resume() { act(() => api.post('/deliveries/{delivery_id}/resume', { path }), m.deliveries.resumed); }
  const isGoing = progress.state === 'sending' || (progress.state === 'wait' && !isAsked);
  const canPause = isBulk && isGoing;
  // One button, so that the focus stays where it is.
  const canResume = progress.state === 'paused' || progress.holds.length > 0;
  return (
    <>
      {(canPause || canResume) && <Button first={canResume} busy={busy} onClick={canResume ? resume : pause}>{canResume ? m.deliveries.resume : m.deliveries.pause}</Button>}
      {canPause && canResume && <Button busy={busy} onClick={pause}>{m.deliveries.pause}</Button>}
      {(isGoing || progress.state === 'paused') && <Button danger onClick={() => setAsks(true)}>{m.deliveries.stop}</Button>}
      {(progress.state === 'reserve' || isAsked) && <Button danger busy={busy} onClick={() => act(() => api.patch('/deliveries/{delivery_id}/cancel', { path }), isAsked ? m.approval.takenBack : m.deliveries.cancelled)}>{isAsked ? m.approval.takeBack : m.deliveries.cancelReservation}</Button>}
      <Trouble of={trouble} />
      <Modal open={asks} close={() => setAsks(false)} title={m.deliveries.stopTitle}>
        <p className="muted">{m.deliveries.stopText}</p>
        <div className="row end">
          <Button onClick={() => setAsks(false)}>{m.common.cancel}</Button>
          {isBulk && isGoing && <Button onClick={() => { setAsks(false); pause(); }}>{m.deliveries.pauseInstead}</Button>}
          <Button danger busy={busy} onClick={() => { setAsks(false); act(() => api.post('/deliveries/{delivery_id}/stop', { path }), m.deliveries.stopped); }}>{m.deliveries.stopButton}</Button>
        </div>
      </Modal>
    </>
  );
}

const PARTS = [['delivered', 'good'], ['deferred', 'warn'], ['bounced', 'bad'], ['expired', 'bad'], ['unknown', 'warn'], ['dropped', 'calm'], ['cancelled', 'calm'], ['pending', null]] as const;

function Overview({ head, progress, live, link }: { head: Head; progress: Progress; live: Live | undefined; link: Connection | null }) {
  const m = useMessages();
  const { language } = useSpoken();
  const number = useMemo(() => new Intl.NumberFormat(language), [language]);
  const done = progress.total - progress.pending - progress.deferred;
  const at = (text: string) => { const instant = instantOf(text); return instant ? exact(instant) : text; };
  const isMoving = !OVER.has(progress.state) && progress.state !== 'edit';
  // A speed takes two looks; of what does not go now there is none.
  const isMeasured = progress.state === 'sending' && !!live && !progress.waits && progress.holds.length === 0;
  return (
    <div className="stack">
      <div className="card stack">
        <div className="row apart">
          <h2>{m.deliveries.progress}</h2>
          {link && <Badge tone={link === 'live' ? 'good' : 'warn'}>{link === 'live' ? m.deliveries.live : link === 'waiting' ? m.deliveries.reconnecting : m.deliveries.connecting}</Badge>}
        </div>
        <div className="meter" role="progressbar" aria-label={m.deliveries.progress} aria-valuemin={0} aria-valuemax={progress.total} aria-valuenow={done}>
          {PARTS.map(([part, tone]) => tone && progress[part] > 0 && <i key={part} className={tone} style={{ width: `${(100 * progress[part]) / Math.max(1, progress.total)}%` }} />)}
        </div>
        <p className="sum">{number.format(done)} <span className="muted">/ {number.format(progress.total)}</span></p>
        {isMoving && progress.state !== 'paused' && progress.state !== 'stopping' && (
          <dl className="pair">
            <div><dt>{m.deliveries.speed}</dt><dd>{live?.speed ? m.deliveries.perMinute(live.speed.mails_per_minute) : isMeasured ? m.deliveries.measuring : '–'}</dd></div>
            <div><dt>{m.deliveries.left}</dt><dd>{live?.seconds_left != null ? span(live.seconds_left, m) : '–'}</dd></div>
          </dl>
        )}
        {progress.waits && <div className="note info">{progress.waits.because === 'quiet_hours' ? m.deliveries.waitsQuiet(at(progress.waits.until)) : m.deliveries.waitsPace(at(progress.waits.until))}</div>}
        {progress.canary_until && <div className="note info">{m.deliveries.canary(at(progress.canary_until))}</div>}
        {progress.expected_to_expire && <div className="note warn">{m.deliveries.willExpire(progress.expected_to_expire.mails)}</div>}
        {progress.holds.map((hold, i) => <div className="note warn" key={i}><strong>{m.deliveries.holds}: {hold.receiver ?? m.deliveries.holdAll}</strong><p>{hold.because}</p></div>)}
      </div>
      <dl className="figures">
        {PARTS.map(([part]) => <div key={part} className={progress[part] === 0 ? 'zero' : undefined}><dt>{m.states[part]}</dt><dd>{number.format(progress[part])}</dd></div>)}
      </dl>
      <div className="card">
        <Facts rows={[
          [m.common.created, <Time at={head.created_time} style="exact" />],
          [m.deliveries.started, progress.started ? <Time at={progress.started} style="exact" /> : head.reservation_time ? <>{progress.approval === 'waiting' ? m.approval.goes : m.deliveries.reservedFor} <Time at={head.reservation_time} style="exact" /></> : m.deliveries.notStarted],
          progress.finished ? [m.deliveries.finished, <Time at={progress.finished} style="exact" />] : progress.expires && [m.deliveries.expires, <Time at={progress.expires} style="exact" />],
          progress.pace && [m.deliveries.pace, progress.pace.per === 'hour' ? m.deliveries.paceHour(progress.pace.mails) : m.deliveries.paceMinute(progress.pace.mails)],
          progress.quiet_hours && [m.deliveries.quiet, `${progress.quiet_hours.from}–${progress.quiet_hours.until} (${progress.quiet_hours.time_zone})`],
          head.attaches.length > 0 && [m.deliveries.files, head.attaches.map((file) => file.file_name).join(', ')],
        ]} />
      </div>
      {/* Last, as it comes with the first word of what is live: it moves nothing. */}
      {live?.sites && live.sites.length > 0 && (
        <div className="card flush">
          <header><h2>{m.deliveries.receivers}</h2></header>
          <Scroll label={m.deliveries.receivers}><table className="list">
            <thead><tr><th>{m.deliveries.receiver}</th><th className="num">{m.deliveries.tried}</th><th className="num">{m.deliveries.remaining}</th><th className="num">{m.deliveries.speed}</th><th className="num">{m.deliveries.allowed}</th><th className="num">{m.deliveries.left}</th><th>{m.deliveries.restsUntil}</th></tr></thead>
            <tbody>{live.sites.filter((site) => site.site !== null || site.done > 0 || !!site.remaining).map((site) => (
              <tr key={site.site ?? ''}>
                <td className="name">{site.site ?? m.deliveries.others}{site.pace_reason && <div className="muted small">{m.lanes.reasons[site.pace_reason]}</div>}</td>
                <td className="num">{number.format(site.done)}</td>
                <td className="num">{site.remaining == null ? '–' : number.format(site.remaining)}</td>
                <td className="num">{site.mails_per_minute == null ? '–' : m.deliveries.perMinute(site.mails_per_minute)}</td>
                <td className="num">{site.allowed_per_minute == null ? '–' : m.deliveries.perMinute(site.allowed_per_minute)}{site.limit_per_minute != null && <div className="muted small">{m.deliveries.atMost(m.deliveries.perMinute(site.limit_per_minute))}</div>}</td>
                <td className="num">{site.seconds_left == null ? '–' : span(site.seconds_left, m)}</td>
                <td>{site.rests_until ? <Time at={site.rests_until} /> : <span className="muted">–</span>}</td>
              </tr>
            ))}</tbody>
          </table></Scroll>
        </div>
      )}
    </div>
  );
}

const LOG_STATES = ['SENT', 'RETRY', 'HARDERROR', 'SOFTERROR', 'DROP'] as const;
const COUNT = 100;

function Recipients({ id }: { id: number }) {
  const m = useMessages();
  const [query, change] = useQuery();
  const status = query.get('status') ?? '';
  const after = Number(query.get('after')) || undefined;
  const { data, trouble, loading, reload } = useLoad(`log:${id}:${status}:${after}`, (signal) =>
    api.get('/logs/mails/results', { query: { delivery_id: id, count: COUNT, anchor: after, 'status[]': LOG_STATES.filter((each) => each === status) }, signal }));
  const rows = data?.data ?? [];
  const last = rows[rows.length - 1];
  return (
    <>
      <div className="filters">
        <Select label={m.deliveries.stateFilter} hideLabel value={status} onChange={(e) => change({ status: e.target.value, after: null })}
          options={[['', `${m.deliveries.stateFilter}: ${m.common.all}`], ...LOG_STATES.map((each) => [each, each === 'SENT' ? m.states.delivered ?? '' : m.states[each] ?? each] as const)]} />
      </div>
      <div className="card flush">
        {trouble ? <Trouble of={trouble} again={reload} /> : !data ? loading && <Waiting rows={8} />
          : rows.length === 0 ? <Empty title={m.deliveries.noRecipients} text={m.deliveries.noRecipientsText} />
          : <div className="scroll"><table className="list folds">
            <thead><tr><th>{m.common.emailShort}</th><th>{m.common.state}</th><th>{m.deliveries.code}</th><th>{m.common.time}</th></tr></thead>
            <tbody>{rows.map((row) => (
              <tr key={row.maillog_id}>
                <td className="full"><Link href={`/why?q=${encodeURIComponent(row.email)}`}>{row.email}</Link></td>
                <td><State of={row.status} is={row.status === 'SENT' ? 'delivered' : row.status} /></td>
                <td className="full"><span className="cut mono" title={row.last_response_message}>{row.last_response_code !== '0' && row.last_response_code} {row.last_response_message}</span></td>
                <td><Time at={row.updated_time} /></td>
              </tr>
            ))}</tbody>
          </table></div>}
        {(after || rows.length === COUNT) && (
          <div className="more">
            <Button disabled={!after} onClick={() => history.back()}>{m.common.newer}</Button>
            <Button disabled={rows.length < COUNT || !last} onClick={() => last && change({ after: String(last.maillog_id) })}>{m.common.older}</Button>
          </div>
        )}
      </div>
    </>
  );
}

type Causes = Extract<Answer<'/explain', 'get'>, { causes: unknown }>;

function Failures({ id }: { id: number }) {
  const m = useMessages();
  const { language } = useSpoken();
  const percent = useMemo(() => new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 }), [language]);
  const { data, trouble, loading, reload } = useLoad(`causes:${id}:${language}`, (signal) =>
    api.get('/explain', { query: { delivery_id: id, lang: language, limit: 50 }, signal }) as Promise<Causes>);
  if (trouble) return <Trouble of={trouble} again={reload} />;
  if (!data) return loading ? <div className="card"><Waiting /></div> : null;
  if (data.causes.length === 0) return <div className="card"><Empty title={m.deliveries.noFailures} text={m.deliveries.noFailuresText} /></div>;
  return (
    <div className="stack">
      {data.causes.map((cause, i) => (
        <div className="card stack tight" key={i}>
          <div className="row apart">
            <h2>{cause.site || m.deliveries.others} · {m.deliveries.mails(cause.mails)}{cause.share != null && <span className="muted"> ({percent.format(cause.share)})</span>}</h2>
            <State of={cause.state} />
          </div>
          <p>{cause.meaning}</p>
          {cause.action && <p><strong>{m.why.action}: </strong>{cause.action}</p>}
          <p className="muted small">{cause.whose}</p>
          {cause.sample && (
            <div>
              <span className="muted small">{m.deliveries.example}: <Link href={`/why?q=${encodeURIComponent(cause.sample.email)}`}>{cause.sample.email}</Link> · <Time at={cause.sample.at} /></span>
              {cause.sample.answer && <div className="answer">{cause.sample.answer}</div>}
            </div>
          )}
        </div>
      ))}
    </div>
  );
}

function Content({ id }: { id: number }) {
  const m = useMessages();
  const [query, change] = useQuery();
  const email = query.get('email') ?? '';
  const { data, trouble, loading, reload } = useLoad(`preview:${id}:${email}`, (signal) =>
    api.get('/deliveries/{delivery_id}/preview', { path: { delivery_id: id }, query: { email }, signal }));
  return (
    <div className="stack">
      <p className="muted small">{m.deliveries.contentRecorded}</p>
      {trouble ? <Trouble of={trouble} again={reload} /> : data ? <Preview mail={data} address={frameOf('/deliveries/{delivery_id}/preview', { path: { delivery_id: id }, query: { email, format: 'html' } })} chooseEmail={(next) => change({ email: next })} /> : loading && <div className="card"><Waiting /></div>}
    </div>
  );
}
