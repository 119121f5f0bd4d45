// Whose mail this installation sends, and how much of it each may: for operators.
import { useState } from 'react';
import { type Account, type Limits, operations } from '../api/operations';
import { own } from '../api/door';
import { Badge, Button, Check, Empty, Input, Menu, MenuItem, ModalForm, PageHead, Time, toast, Trouble, troubleText, Waiting } from '../design/parts';
import { useMessages } from '../messages';
import { forget, useLoad } from '../shell/load';
import { go } from '../shell/router';
import { useSession } from '../shell/session';

const LIMITS = ['requests_per_minute', 'mails_per_minute', 'mails_per_day', 'mails_per_month'] as const;

export default function Accounts() {
  const m = useMessages();
  const { set } = useSession();
  const { data, trouble, loading, reload, put } = useLoad('accounts:all', () => operations.accounts());
  const [adds, setAdds] = useState(false);
  const [limits, setLimits] = useState<Account | null>(null);
  const [suspends, setSuspends] = useState<Account | null>(null);
  const fault = (found: unknown) => toast(troubleText(m, found)[0] ?? '');
  const more = () => void operations.accounts(data?.next).then((page) => put({ ...page, accounts: [...(data?.accounts ?? []), ...page.accounts] }), fault);
  const open = (name: string) => void own.actFor(name).then((next) => { forget(); set(next); go('/'); }, fault);
  const resume = (name: string) => void operations.changeAccount(name, { suspended: false }).then(() => { toast(m.accounts.resumed(name)); reload(); }, fault);
  const add = <Button first onClick={() => setAdds(true)}>{m.accounts.add}</Button>;
  return (
    <>
      <PageHead title={m.accounts.title} text={m.accounts.text}>{add}</PageHead>
      <div className="card flush">
        {trouble ? <Trouble of={trouble} again={reload} /> : !data ? loading && <Waiting rows={6} />
          : data.accounts.length === 0 ? <Empty title={m.accounts.emptyTitle} text={m.accounts.emptyText}>{add}</Empty>
          : <div className="scroll"><table className="list folds"><thead><tr><th>{m.common.nameOf}</th><th>{m.common.state}</th><th className="num">{m.accounts.weight}</th><th>{m.accounts.limits}</th><th className="num">{m.accounts.keys}</th><th>{m.common.created}</th><th><span className="sr">{m.common.actions}</span></th></tr></thead>
            <tbody>{data.accounts.map((account) => (
              <tr key={account.name}>
                <td className="full"><button type="button" className="linklike" onClick={() => open(account.name)}>{account.name}</button>{account.sandbox && <> <Badge tone="info">{m.accounts.sandbox}</Badge></>}</td>
                <td>{account.suspended ? <Badge tone="bad">{m.accounts.suspended}</Badge> : <Badge tone="good">{m.states.active}</Badge>}</td>
                <td className="num">{m.lanes.count(account.weight)}</td>
                <td className="muted small">{LIMITS.filter((name) => account[name] > 0).map((name) => m.accounts.limitOf[name](account[name])).join(' · ') || m.accounts.noLimits}</td>
                <td className="num">{m.lanes.count(account.keys)}</td>
                <td><Time at={account.created} /></td>
                <td className="act"><Menu label={m.keys.menu(account.name)} className="button plain icon" button={<span aria-hidden="true">⋯</span>}>
                  <MenuItem onClick={() => open(account.name)}>{m.accounts.open}</MenuItem>
                  <MenuItem onClick={() => setLimits(account)}>{m.accounts.changeLimits}</MenuItem>
                  <MenuItem onClick={() => (account.suspended ? resume(account.name) : setSuspends(account))}>{account.suspended ? m.accounts.resume : m.accounts.suspend}</MenuItem>
                </Menu></td>
              </tr>
            ))}</tbody></table></div>}
        {data?.next && <div className="more"><span /><Button onClick={more}>{m.common.more}</Button></div>}
      </div>
      {adds && <Add close={() => setAdds(false)} done={(name) => { toast(m.accounts.added(name)); reload(); }} />}
      {limits && <ChangeLimits account={limits} close={() => setLimits(null)} done={reload} />}
      {suspends && <ModalForm open close={() => setSuspends(null)} title={m.accounts.suspendTitle(suspends.name)} text={m.accounts.suspendText} danger button={m.accounts.suspend}
        send={async () => { await operations.changeAccount(suspends.name, { suspended: true }); toast(m.accounts.suspendedToast(suspends.name), () => resume(suspends.name)); setSuspends(null); reload(); }} />}
    </>
  );
}

function Add({ close, done }: { close: () => void; done: (name: string) => void }) {
  const m = useMessages();
  const [name, setName] = useState('');
  const [sandbox, setSandbox] = useState(false);
  const send = async () => {
    await operations.addAccount({ name: name.trim(), ...(sandbox ? { sandbox } : {}) });
    close();
    done(name.trim());
  };
  return (
    <ModalForm open close={close} title={m.accounts.add} text={m.accounts.addText} button={m.common.add} send={send}>
      <Input label={m.common.nameOf} hint={m.accounts.nameHint} required autoFocus maxLength={64} spellCheck={false} pattern="[A-Za-z0-9._@\-]+" className="input mono" value={name} onChange={(e) => setName(e.target.value)} />
      <Check label={m.accounts.sandboxLabel} hint={m.accounts.sandboxHint} checked={sandbox} onChange={(e) => setSandbox(e.target.checked)} />
    </ModalForm>
  );
}

function ChangeLimits({ account, close, done }: { account: Account; close: () => void; done: () => void }) {
  const m = useMessages();
  const names = ['weight', ...LIMITS] as const;
  const [given, setGiven] = useState<Record<keyof Limits, string>>(() => Object.fromEntries(names.map((name) => [name, String(account[name])])) as Record<keyof Limits, string>);
  const send = async () => {
    const changed = names.filter((name) => Number(given[name]) !== account[name]);
    if (changed.length) await operations.changeAccount(account.name, Object.fromEntries(changed.map((name) => [name, Number(given[name])])));
    toast(m.common.saved);
    close();
    done();
  };
  return (
    <ModalForm open close={close} title={m.accounts.limitsTitle(account.name)} text={m.accounts.limitsText} button={m.common.save} send={send}>
      {names.map((name) => (
        <Input key={name} label={m.accounts.limitNames[name]} type="number" required min={name === 'weight' ? 1 : 0} max={name === 'weight' ? 1_000 : 1_000_000_000_000} step={1} value={given[name]} onChange={(e) => setGiven({ ...given, [name]: e.target.value })} />
      ))}
    </ModalForm>
  );
}
