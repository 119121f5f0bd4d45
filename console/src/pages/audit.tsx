// Who did and saw what, newest first, back to a day.
import { useState } from 'react';
import { type AuditLine, others } from '../api/door';
import { Button, Empty, Input, PageHead, Time, toast, Trouble, troubleText, Waiting } from '../design/parts';
import { dayOf } from '../design/format';
import { useMessages } from '../messages';
import { useLoad } from '../shell/load';
import { Link, useQuery } from '../shell/router';
import { useSession } from '../shell/session';
import { actionText } from './actions';

const LIMIT = 200;
const DAYS = 7;

interface Told {
  audit: AuditLine[];
  next?: number;
}

const read = (since: string, after?: number): Promise<Told> => others.audit({ since, after, limit: LIMIT });

export default function Audit() {
  const m = useMessages();
  const { session } = useSession();
  const [query, change] = useQuery();
  const day = query.get('since') ?? dayOf(Date.now() - DAYS * 86_400_000);
  const first = new Date(`${day}T00:00`);
  const since = Number.isNaN(first.getTime()) ? '' : first.toISOString();
  const { data, trouble, loading, reload, put } = useLoad(`audit:${session.account}:${since}`, () => read(since));
  const [busy, setBusy] = useState(false);
  const lines = data?.audit ?? [];
  const load = () => {
    setBusy(true);
    read(since, data?.next).then(
      (page) => put({ audit: [...(data?.audit ?? []), ...page.audit], next: page.next }),
      (found: unknown) => toast(troubleText(m, found)[0] ?? ''),
    ).finally(() => setBusy(false));
  };
  return (
    <>
      <PageHead title={m.audit.title} text={m.audit.text}><Input label={m.audit.since} type="date" required value={day} onChange={(e) => e.target.value && change({ since: e.target.value })} /></PageHead>
      <div className="card flush">
        {trouble ? <Trouble of={trouble} again={reload} /> : !data ? loading && <Waiting rows={8} />
          : lines.length === 0 ? <Empty title={m.audit.emptyTitle} text={m.audit.emptyText} />
          : <div className="scroll"><table className="list folds"><thead><tr><th>{m.common.time}</th><th>{m.audit.who}</th><th>{m.audit.what}</th><th>{m.audit.about}</th><th>{m.audit.from}</th></tr></thead>
            <tbody>{lines.map((line, i) => (
              <tr key={i}><td><Time at={line.at} /></td><td className="full">{line.actor}</td><td title={line.action}>{actionText(line.action, m)}</td>
                <td>{line.delivery_id ? <Link href={`/deliveries/${line.delivery_id}`}>{m.why.delivery(line.delivery_id)}</Link> : line.account || <span className="muted">–</span>}</td>
                <td className="muted mono">{line.origin}</td></tr>
            ))}</tbody></table></div>}
        {!!data?.next && <div className="more"><span /><Button busy={busy} onClick={load}>{m.common.more}</Button></div>}
      </div>
    </>
  );
}
