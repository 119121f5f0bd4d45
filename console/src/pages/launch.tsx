// The last steps of a bulk mail: whether it would arrive, a test to oneself, and when it goes.
import { useEffect, useState } from 'react';
import { api, type Answer } from '../api/client';
import { exactIn, instantOf } from '../design/format';
import { Badge, Button, ButtonLink, Facts, Input, Modal, Time, toast, Trouble, useAction } from '../design/parts';
import { useMessages, useSpoken } from '../messages';
import { forget } from '../shell/load';
import { go } from '../shell/router';
import { useSession } from '../shell/session';
import { type Approval, approvalOf, WAITS } from './approvals';
import { type Draft, isQuiet, isReadable, sampleOf, stored, type TemplateOf, ZONE, ZONE_OFFSET } from './draft';

type Preflight = Answer<'/deliveries/{delivery_id}/preflight', 'post'>;

export function Launch({ draft, change, template, row, left }: { draft: Draft; change: (some: Partial<Draft>) => void; template: TemplateOf | undefined; row: Record<string, string> | undefined; left: () => void }) {
  const m = useMessages();
  const { session } = useSession();
  const email = session.person?.email ?? '';
  const { busy, trouble, run } = useAction();
  const [judged, setJudged] = useState<Preflight | null>(null);
  const content = JSON.stringify([draft.from, draft.subject, draft.text, draft.html, draft.template, draft.purpose, draft.recipients]);
  // What was judged is not what stands there now.
  useEffect(() => setJudged(null), [content]);
  const keep = async () => {
    const now = await stored(draft);
    change({ id: now.id, begunOf: now.begunOf, hadQuiet: now.hadQuiet, recipients: now.recipients });
    return now;
  };
  const judge = () => void run(async () => {
    const now = await keep();
    if (!now.recipients) return;
    setJudged(await api.post('/deliveries/{delivery_id}/preflight', { path: { delivery_id: now.id ?? 0 } }));
  });
  const test = () => void run(async () => {
    const made = await api.post('/deliveries/transaction', { body: { ...sampleOf(draft, template, row), to: email } });
    toast(m.compose.tested(email, made.delivery_id));
  });
  const isReady = isReadable(draft);
  const hasList = draft.id !== undefined && (draft.recipients ?? 0) > 0 && draft.begunOf === draft.template;
  return (
    <>
      <section className="card stack" aria-label={m.compose.check}>
        <div className="row apart"><div><h2>{m.compose.check}</h2><p className="muted">{m.compose.checkText}</p></div>
          <div className="row"><Button busy={busy} disabled={!isReady} onClick={test}>{m.compose.test(email)}</Button><Button busy={busy} disabled={!hasList} onClick={judge}>{m.compose.judge}</Button></div></div>
        <Trouble of={trouble} />
        {judged && <Judged of={judged} />}
      </section>
      <When draft={draft} change={change} hasList={hasList} keep={keep} left={left} warned={judged?.outcome === 'fail'} />
    </>
  );
}

const ORDER = ['fail', 'warning', 'not_determined', 'pass'];

function Judged({ of }: { of: Preflight }) {
  const m = useMessages();
  const told = of.findings.filter(({ outcome }) => outcome !== 'pass').sort((a, b) => ORDER.indexOf(a.outcome) - ORDER.indexOf(b.outcome));
  const good = of.findings.length - told.length;
  return (
    <div className="stack tight" role="status">
      <div className="row"><Badge tone={of.outcome === 'pass' ? 'good' : of.outcome === 'fail' ? 'bad' : 'warn'}>{m.states[of.outcome]}</Badge><span className="muted">{m.compose.judged(of.coverage.composed, of.coverage.domains_asked)}</span></div>
      {of.mode === 'enforce' && of.breaks_bulk_rules && <div className="note bad">{m.compose.enforced}</div>}
      <ul className="lines framed">{told.map((each, i) => (
        <li key={i} className="row nowrap top"><Badge tone={each.outcome === 'fail' ? 'bad' : 'warn'}>{m.states[each.outcome]}</Badge>
          <div className="grow"><strong>{each.sentence || each.code}</strong>{each.why && <p className="muted">{each.why}</p>}{each.found && <div className="answer">{each.found}</div>}{each.advice && <p><strong>{m.why.action}: </strong>{each.advice}</p>}</div></li>
      ))}
        {good > 0 && <li className="muted">{m.compose.good(good)}</li>}</ul>
    </div>
  );
}

function When({ draft, change, hasList, keep, left, warned }: { draft: Draft; change: (some: Partial<Draft>) => void; hasList: boolean; keep: () => Promise<Draft>; left: () => void; warned: boolean }) {
  const m = useMessages();
  const { language } = useSpoken();
  const { busy, trouble, run } = useAction();
  const [asks, setAsks] = useState<'now' | 'later' | null>(null);
  const [waits, setWaits] = useState<{ id: number; approval: Approval | null } | null>(null);
  const at = draft.at ? instantOf(`${draft.at}:00${ZONE_OFFSET}`) : null;
  const isPast = at !== null && at.getTime() < Date.now();
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const send = () => void run(async () => {
    const now = await keep();
    // It was removed elsewhere, and its list with it.
    if (!now.recipients) return setAsks(null);
    const path = { delivery_id: now.id ?? 0 };
    let isHeld = false;
    const warned = (warnings: string[]) => { isHeld = warnings.includes(WAITS); };
    if (asks === 'later' && at) await api.patch('/deliveries/bulk/commit/{delivery_id}', { path, body: { reservation_time: `${draft.at}:00${ZONE_OFFSET}` }, warned });
    else await api.patch('/deliveries/bulk/commit/{delivery_id}/immediate', { path, warned });
    left();
    forget();
    if (isHeld) {
      // It is committed, whether or not it can be read until when.
      setWaits({ id: path.delivery_id, approval: await approvalOf(path.delivery_id).catch(() => null) });
      return setAsks(null);
    }
    toast(asks === 'later' ? m.compose.reserved : m.compose.begun);
    go(`/deliveries/${path.delivery_id}`);
  });
  return (
    <section className="card stack" aria-label={m.compose.when}>
      <div><h2>{m.compose.when}</h2><p className="muted">{m.compose.whenText}</p></div>
      <div className="pairs">
        <Input label={m.compose.quietFrom} type="time" value={draft.quietFrom} onChange={(e) => change({ quietFrom: e.target.value })} />
        <Input label={m.compose.quietUntil} type="time" value={draft.quietUntil} onChange={(e) => change({ quietUntil: e.target.value })} />
        <Input label={m.compose.at} type="datetime-local" wrong={isPast ? m.compose.past : null} value={draft.at} onChange={(e) => change({ at: e.target.value })} />
      </div>
      <div aria-live="polite" className="stack tight">
        {at && own !== ZONE && <p className="muted">{m.compose.yourTime(exactIn(at, language))}</p>}
        {draft.at && isQuiet(draft, draft.at) && <div className="note warn">{m.compose.isQuiet(draft.quietUntil)}</div>}
      </div>
      <div className="row">
        <Button first disabled={!hasList} onClick={() => setAsks('now')}>{m.compose.begin}</Button>
        <Button disabled={!hasList || !at || isPast} onClick={() => setAsks('later')}>{m.compose.reserve}</Button>
        {!hasList && <span className="muted">{m.compose.needsList}</span>}
      </div>
      <Modal open={asks !== null} close={() => setAsks(null)} title={asks === 'later' ? m.compose.reserveTitle : m.compose.beginTitle}>
        <Facts rows={[
          [m.common.subject, draft.template ? m.templates.id(Number(draft.template)) : draft.subject], [m.deliveries.recipients, m.deliveries.mails(draft.recipients ?? 0)],
          asks === 'later' && at && [m.deliveries.reservedFor, exactIn(at, language, ZONE)],
          draft.quietFrom && draft.quietUntil && [m.deliveries.quiet, `${draft.quietFrom}–${draft.quietUntil} (${ZONE})`],
        ]} />
        {warned && <div className="note warn">{m.compose.warned}</div>}
        <Trouble of={trouble} />
        <div className="row end"><Button onClick={() => setAsks(null)}>{m.common.cancel}</Button><Button first busy={busy} onClick={send}>{asks === 'later' ? m.compose.reserve : m.compose.beginYes}</Button></div>
      </Modal>
      {waits && (
        <Modal open fixed close={() => go(`/deliveries/${waits.id}`)} title={m.approval.asked}>
          <p>{m.approval.waits}</p>
          {waits.approval && <Facts rows={[[m.approval.lapses, <Time at={waits.approval.lapses_at} style="exact" />], [m.approval.goes, waits.approval.reservation_time ? <Time at={waits.approval.reservation_time} style="exact" /> : m.approval.atOnce]]} />}
          <div className="row end"><ButtonLink href={`/deliveries/${waits.id}`} first>{m.approval.toDelivery}</ButtonLink></div>
        </Modal>
      )}
    </section>
  );
}
