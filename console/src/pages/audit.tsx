// Who did and saw what, newest first as the engine tells it.
import { useState } from 'react';
import { type AuditLine, others } from '../api/door';
import { Button, Empty, PageHead, Time, toast, Trouble, troubleText, Waiting } from '../design/parts';
import { useMessages } from '../messages';
import { useLoad } from '../shell/load';
import { Link } from '../shell/router';
import { useSession } from '../shell/session';

const LIMIT = 100;

export default function Audit() {
  const m = useMessages();
  const { session } = useSession();
  const { data, trouble, loading, reload } = useLoad(`audit:${session.account}`, () => others.audit({ limit: LIMIT }));
  const [more, setMore] = useState<{ lines: AuditLine[]; next?: number } | null>(null);
  const lines = [...(data?.audit ?? []), ...(more?.lines ?? [])];
  const next = more ? more.next : data?.next;
  const load = () => void others.audit({ limit: LIMIT, after: next }).then((page) => setMore({ lines: [...(more?.lines ?? []), ...page.audit], next: page.next }), (found: unknown) => toast(troubleText(m, found)[0] ?? ''));
  return (
    <>
      <PageHead title={m.audit.title} text={m.audit.text} />
      <div className="card flush">
        {trouble ? <Trouble of={trouble} again={reload} /> : !data ? loading && <Waiting rows={8} />
          : lines.length === 0 ? <Empty title={m.audit.emptyTitle} text={m.audit.emptyText} />
          : <div className="scroll"><table className="list folds"><thead><tr><th>{m.common.time}</th><th>{m.audit.who}</th><th>{m.audit.what}</th><th>{m.audit.about}</th><th>{m.audit.from}</th></tr></thead>
            <tbody>{lines.map((line, i) => (
              <tr key={i}><td><Time at={line.at} /></td><td className="full">{line.actor}</td><td>{line.action}</td>
                <td>{line.delivery_id ? <Link href={`/deliveries/${line.delivery_id}`}>{m.why.delivery(line.delivery_id)}</Link> : line.account || <span className="muted">–</span>}</td>
                <td className="muted mono">{line.origin}</td></tr>
            ))}</tbody></table></div>}
        {!!next && <div className="more"><span /><Button onClick={load}>{m.common.more}</Button></div>}
      </div>
    </>
  );
}
