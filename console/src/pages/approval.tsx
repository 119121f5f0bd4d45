// What waits for a second person's word: what it is, who asked, until when, and deciding about it.
import { useState } from 'react';
import { api, type Answer } from '../api/client';
import { Area, Badge, Button, Facts, ModalForm, Time, toast, Trouble, useAction } from '../design/parts';
import { useMessages } from '../messages';
import { useLoad } from '../shell/load';
import { Link } from '../shell/router';
import { useSession } from '../shell/session';

type Approval = Answer<'/deliveries/{delivery_id}/approval', 'get'>;
const TONES = { waiting: 'warn', approved: 'good', sent_back: 'bad', lapsed: 'bad', void: 'calm' } as const;
const REASON_MAX = 500;

/** Of a delivery of which one was asked for. */
export function useApproval(id: number, isAsked: boolean) {
  return useLoad<Approval>(isAsked ? `approval:${id}` : null, (signal) => api.get('/deliveries/{delivery_id}/approval', { path: { delivery_id: id }, signal }));
}

export function ApprovalCard({ of, done }: { of: Approval; done: () => void }) {
  const m = useMessages();
  const { can } = useSession();
  const { busy, trouble, run } = useAction();
  const [sendsBack, setSendsBack] = useState(false);
  const [reason, setReason] = useState('');
  const path = { delivery_id: of.delivery_id };
  // Whatever came of it, what is shown is looked at again.
  const decide = async (action: () => Promise<unknown>, text: string) => {
    try {
      await action();
      toast(text);
      setSendsBack(false);
      setReason('');
    } finally {
      done();
    }
  };
  const who = (party: { kind: string; name: string }) => party.kind === 'key' ? m.approval.key(party.name) : party.kind === 'command' ? m.approval.command : party.name;
  const isWaiting = of.state === 'waiting';
  return (
    <section className="card stack" aria-label={m.approval.title}>
      <div className="row apart"><h2>{m.approval.title}</h2><Badge tone={TONES[of.state]}>{m.approval.states[of.state]}</Badge></div>
      {isWaiting && <p>{m.approval.waits}</p>}
      {of.state === 'lapsed' && <p>{m.approval.lapsed}</p>}
      {of.reason && <div className="note warn"><strong>{m.approval.reason}</strong><p>{of.reason}</p></div>}
      <Facts rows={[
        [m.approval.askedBy, <>{who(of.asked_by)} · <Time at={of.asked_at} style="exact" /></>],
        isWaiting && [m.approval.lapses, <Time at={of.lapses_at} style="exact" />],
        isWaiting && [m.approval.goes, of.reservation_time ? <Time at={of.reservation_time} style="exact" /> : m.approval.atOnce],
        isWaiting && [m.deliveries.total, m.deliveries.mails(of.recipients)],
        isWaiting && of.revision > 1 && [m.approval.revision, String(of.revision)],
        of.decided_by && [m.approval.decidedBy, <>{who(of.decided_by)} · <Time at={of.decided_at} style="exact" /></>],
      ]} />
      {isWaiting && !of.may_approve && of.why_not && <p className="muted">{m.approval.whyNot[of.why_not]}</p>}
      <Trouble of={trouble} />
      {isWaiting && of.may_approve && can('send') && (
        <div className="row">
          <Button first busy={busy} onClick={() => void run(() => decide(() => api.post('/deliveries/{delivery_id}/approval/approve', { path, body: { revision: of.revision } }), m.approval.approved))}>{m.approval.approve}</Button>
          <Button onClick={() => setSendsBack(true)}>{m.approval.sendBack}</Button>
          {can('content') && <Link href={`/deliveries/${of.delivery_id}?tab=content`}>{m.approval.look}</Link>}
        </div>
      )}
      <ModalForm open={sendsBack} close={() => setSendsBack(false)} title={m.approval.sendBackTitle} text={m.approval.sendBackText} button={m.approval.sendBack}
        send={() => decide(() => api.post('/deliveries/{delivery_id}/approval/send_back', { path, body: { revision: of.revision, reason: reason.trim() } }), m.approval.sentBack)}>
        <Area label={m.approval.reason} required rows={3} maxLength={REASON_MAX} value={reason} onChange={(e) => setReason(e.target.value)} />
      </ModalForm>
    </section>
  );
}
