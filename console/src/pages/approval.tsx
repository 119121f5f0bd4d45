// What waits for a second person's word: what it is, who asked, until when, and deciding about it.
import { useEffect, useState } from 'react';
import { api, Refused } from '../api/client';
import { Area, Badge, Button, Facts, ModalForm, Time, toast, Trouble, useAction } from '../design/parts';
import { useMessages } from '../messages';
import { type Loaded, useLoad } from '../shell/load';
import { Link } from '../shell/router';
import { useSession } from '../shell/session';
import { type Asked, askedOf } from './approvals';

const TONES = { waiting: 'warn', approved: 'good', sent_back: 'bad', lapsed: 'bad', void: 'calm' } as const;
const REASON_MAX = 500;

/** Of a delivery of which one was asked for; looked at again when its state is another by now. */
export function useApproval(id: number, state: string | null | undefined): Loaded<Asked | null> {
  const found = useLoad<Asked | null>(state ? `approval:${id}` : null, (signal) => askedOf(id, signal));
  const known = found.data?.approval.state;
  const { reload } = found;
  useEffect(() => {
    if (state && known && state !== known) reload();
  }, [state, reload]);
  return found;
}

export function ApprovalCard({ of: { approval, pace, quiet_hours }, done }: { of: Asked; done: () => void }) {
  const m = useMessages();
  const { can } = useSession();
  const { busy, trouble, run } = useAction();
  const [sendsBack, setSendsBack] = useState(false);
  const [reason, setReason] = useState('');
  const [isOther, setOther] = useState(false);
  const path = { delivery_id: approval.delivery_id };
  // Whatever came of it, what is shown is looked at again.
  const decide = async (action: () => Promise<unknown>, text: string) => {
    setOther(false);
    try {
      await action();
      toast(text);
      setSendsBack(false);
      setReason('');
    } catch (found) {
      if (!(found instanceof Refused && found.status === 409)) throw found;
      // A dialog would go on to decide about what its reader has not seen; what was typed stays for the next one.
      setSendsBack(false);
      setOther(true);
    } finally {
      done();
    }
  };
  const approve = () => void run(() => decide(() => api.post('/deliveries/{delivery_id}/approval/approve', { path, body: { revision: approval.revision } }), m.approval.approved));
  const sendBack = () => decide(() => api.post('/deliveries/{delivery_id}/approval/send_back', { path, body: { revision: approval.revision, reason: reason.trim() } }), m.approval.sentBack);
  const who = (party: { kind: string; name: string }) => party.kind === 'key' ? m.approval.key(party.name) : party.kind === 'command' ? m.approval.command : party.name;
  const isWaiting = approval.state === 'waiting';
  return (
    <section className="card stack" aria-label={m.approval.title}>
      <div className="row apart"><h2>{m.approval.title}</h2><Badge tone={TONES[approval.state]}>{m.approval.states[approval.state]}</Badge></div>
      {isOther && <div className="note warn" role="alert">{m.approval.changed}</div>}
      {isWaiting && <p>{m.approval.waits}</p>}
      {approval.state === 'lapsed' && <p>{m.approval.lapsed}</p>}
      {approval.reason && <div className="note warn"><strong>{m.approval.reason}</strong><p>{approval.reason}</p></div>}
      <Facts rows={[
        [m.approval.askedBy, <>{who(approval.asked_by)} · <Time at={approval.asked_at} style="exact" /></>],
        isWaiting && [m.approval.lapses, <Time at={approval.lapses_at} style="exact" />],
        isWaiting && [m.approval.goes, approval.reservation_time ? <Time at={approval.reservation_time} style="exact" /> : m.approval.atOnce],
        isWaiting && [m.deliveries.total, m.deliveries.mails(approval.recipients)],
        isWaiting && [m.deliveries.pace, !pace ? m.approval.noPace : pace.per === 'hour' ? m.deliveries.paceHour(pace.mails) : m.deliveries.paceMinute(pace.mails)],
        isWaiting && [m.deliveries.quiet, quiet_hours ? `${quiet_hours.from}–${quiet_hours.until} (${quiet_hours.time_zone})` : m.common.none],
        [m.approval.revision, String(approval.revision)],
        approval.decided_by && [m.approval.decidedBy, <>{who(approval.decided_by)} · <Time at={approval.decided_at} style="exact" /></>],
      ]} />
      {isWaiting && !approval.may_approve && approval.why_not && <p className="muted">{m.approval.whyNot[approval.why_not]}</p>}
      <Trouble of={trouble} />
      {isWaiting && approval.may_approve && can('send') && (
        <div className="row">
          <Button first busy={busy} onClick={approve}>{m.approval.approve}</Button>
          <Button disabled={busy} onClick={() => setSendsBack(true)}>{m.approval.sendBack}</Button>
          {can('content') && <Link href={`/deliveries/${approval.delivery_id}?tab=content`}>{m.approval.look}</Link>}
        </div>
      )}
      <ModalForm open={sendsBack} close={() => setSendsBack(false)} title={m.approval.sendBackTitle} text={m.approval.sendBackText} button={m.approval.sendBack} send={sendBack}>
        <Area label={m.approval.reason} required rows={3} maxLength={REASON_MAX} value={reason} onChange={(e) => setReason(e.target.value)} />
      </ModalForm>
    </section>
  );
}
