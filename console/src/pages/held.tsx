// What does not go by itself any more: users of the relay that are held, mails that are set aside, suspended accounts.
import { type ReactNode } from 'react';
import { operations } from '../api/operations';
import { Badge, Button, Empty, PageHead, Time, toast, Trouble, troubleText, useAction, Waiting } from '../design/parts';
import { useMessages } from '../messages';
import { useLive } from '../shell/live';
import { useLoad } from '../shell/load';
import { Link } from '../shell/router';

const LIMIT = 100;
const SECONDS = 15;

export default function Held() {
  const m = useMessages();
  const status = useLoad('engine', () => operations.status());
  const stuck = useLoad('stuck', () => operations.stuck(LIMIT));
  useLive(status.reload, SECONDS);
  useLive(stuck.reload, SECONDS);
  if ((!status.data && !status.trouble) || (!stuck.data && !stuck.trouble))
    return <><PageHead title={m.held.title} text={m.held.text} /><div className="card flush"><Waiting rows={8} /></div></>;
  return (
    <>
      <PageHead title={m.held.title} text={m.held.text} />
      <div className="stack">
        <section className="card flush">
          <header><h2>{m.held.users}</h2></header>
          {status.trouble ? <Trouble of={status.trouble} again={status.reload} /> : !status.data ? null
            : status.data.held_credentials.length === 0 ? <Empty title={m.held.noUsers} text={m.held.noUsersText} />
            : <div className="scroll"><table className="list folds"><thead><tr><th>{m.keys.user}</th><th>{m.common.why}</th><th>{m.held.since}</th><th><span className="sr">{m.common.actions}</span></th></tr></thead>
              <tbody>{status.data.held_credentials.map((user) => (
                <tr key={`${user.account} ${user.name}`}>
                  <td className="full"><div className="mono">{user.name}</div><div className="muted small">{user.account}</div></td><td>{user.held_because}</td><td><Time at={user.held} /></td>
                  <td className="act"><Release done={status.reload} say={m.held.userReleased(user.name)} send={() => operations.releaseHeld(user.account, user.name)}>{m.held.release}</Release></td>
                </tr>
              ))}</tbody></table></div>}
          {status.data?.more_held && <div className="more"><span className="muted">{m.held.more('todoku smtp-credential list')}</span></div>}
        </section>
        <section className="card flush">
          <header><h2>{m.held.stuck}</h2></header>
          {stuck.trouble ? <Trouble of={stuck.trouble} again={stuck.reload} /> : !stuck.data ? null
            : stuck.data.mails.length === 0 ? <Empty title={m.held.noStuck} text={m.held.noStuckText} />
            : <div className="scroll"><table className="list folds"><thead><tr><th>{m.common.to}</th><th>{m.nav.actingFor}</th><th>{m.nav.deliveries}</th><th>{m.held.since}</th><th><span className="sr">{m.common.actions}</span></th></tr></thead>
              <tbody>{stuck.data.mails.map((mail) => (
                <tr key={`${mail.account} ${mail.email_id}`}>
                  <td className="full">{mail.address}</td><td>{mail.account}</td><td>{m.why.delivery(mail.delivery_id)}</td><td><Time at={mail.since} /></td>
                  <td className="act"><Release done={stuck.reload} say={m.held.mailReleased(mail.address)} send={() => operations.releaseStuck(mail)}>{m.held.again}</Release></td>
                </tr>
              ))}</tbody></table></div>}
          {stuck.data?.more && <div className="more"><span className="muted">{m.held.more('todoku stuck')}</span></div>}
        </section>
        {!!status.data?.suspended.length && <section className="card flush">
          <header><h2>{m.held.suspended}</h2></header>
          <div className="scroll"><table className="list folds"><thead><tr><th>{m.nav.actingFor}</th><th>{m.common.state}</th><th className="num">{m.engine.waiting}</th></tr></thead>
            <tbody>{status.data.suspended.map((account) => <tr key={account.name}><td className="full"><Link href="/accounts">{account.name}</Link></td><td><Badge tone="bad">{m.accounts.suspended}</Badge></td><td className="num">{m.engine.recipients(account.recipients)}</td></tr>)}</tbody></table></div>
          {status.data.more_suspended && <div className="more"><span className="muted">{m.held.more('todoku account list')}</span></div>}
        </section>}
      </div>
    </>
  );
}

function Release({ send, say, done, children }: { send: () => Promise<void>; say: string; done: () => void; children: ReactNode }) {
  const m = useMessages();
  const { busy, run } = useAction();
  return <Button tiny busy={busy} onClick={() => void run(async () => { await send().then(() => toast(say), (found: unknown) => toast(troubleText(m, found)[0] ?? '')); done(); })}>{children}</Button>;
}
