// What opens the API and the relay of this account. A secret is shown once, when it is made.
import { useState } from 'react';
import { type ApiKey, KEY_SCOPES, keys, type KeyScope, type RelayUser, TRAFFICS, users } from '../api/keys';
import { Badge, Button, Copy, Empty, Input, Menu, MenuItem, Modal, ModalForm, PageHead, Select, Tabs, Time, toast, Trouble, troubleText, Waiting } from '../design/parts';
import { useMessages } from '../messages';
import { useLoad } from '../shell/load';
import { useQuery } from '../shell/router';
import { useSession } from '../shell/session';

/** What is shown once: name and value. */
type Secrets = readonly (readonly [string, string])[];
const LIVES = [30, 90, 365] as const;
const OVERLAP_HOURS = 24;
const listOf = (text: string) => text.split(/[\s,]+/).filter(Boolean);

export default function Keys() {
  const m = useMessages();
  const [query, change] = useQuery();
  const tabs = [
    { id: 'api', title: m.keys.api, body: () => <ApiKeys /> },
    { id: 'smtp', title: m.keys.smtp, body: () => <RelayUsers /> },
  ];
  return (
    <>
      <PageHead title={m.keys.title} text={m.keys.text} />
      <Tabs label={m.keys.title} tabs={tabs} now={query.get('tab') === 'smtp' ? 'smtp' : 'api'} choose={(id) => change({ tab: id === 'api' ? null : id })} />
    </>
  );
}

function Shown({ secrets, close }: { secrets: Secrets; close: () => void }) {
  const m = useMessages();
  return (
    <Modal open fixed close={close} title={m.keys.shownTitle}>
      <p className="muted">{m.keys.shownText}</p>
      {secrets.map(([name, value]) => (
        <div key={name} className="stack tight"><span className="label">{name}</span><div className="row nowrap"><code className="answer grow">{value}</code><Copy text={value} /></div></div>
      ))}
      <div className="row end"><Button first onClick={close}>{m.keys.kept}</Button></div>
    </Modal>
  );
}

function Life({ is }: { is: Pick<ApiKey, 'revoked' | 'expired' | 'expires'> }) {
  const m = useMessages();
  if (is.revoked) return <Badge>{m.keys.ended}</Badge>;
  if (is.expired) return <Badge tone="warn">{m.keys.expired}</Badge>;
  return <Badge tone="good">{m.states.active}</Badge>;
}
const isOver = (each: Pick<ApiKey, 'revoked' | 'expired'>) => !!each.revoked || !!each.expired;

function Until({ is }: { is: Pick<ApiKey, 'revoked' | 'expires'> }) {
  const m = useMessages();
  return is.revoked || is.expires ? <Time at={is.revoked ?? is.expires} /> : <span className="muted">{m.suppressions.forever}</span>;
}

function Used({ is }: { is: Pick<ApiKey, 'last_used'> }) {
  const m = useMessages();
  return is.last_used ? <Time at={is.last_used} /> : <span className="muted">{m.keys.neverUsed}</span>;
}

function ApiKeys() {
  const m = useMessages();
  const { session } = useSession();
  const { data, trouble, loading, reload } = useLoad(`keys:${session.account}`, () => keys.list());
  const [adds, setAdds] = useState(false);
  const [rotates, setRotates] = useState<ApiKey | null>(null);
  const [ends, setEnds] = useState<ApiKey | null>(null);
  const [shown, setShown] = useState<Secrets | null>(null);
  const told = (key: { login_id: string; api_key?: string; bearer_token?: string; access_key_id?: string; secret_access_key?: string }) => {
    const all: [string, string | undefined][] = [[m.keys.bearer, key.bearer_token], [m.keys.login, key.bearer_token && key.login_id], [m.keys.key, key.api_key], [m.keys.accessKey, key.access_key_id], [m.keys.secretKey, key.secret_access_key]];
    setShown(all.flatMap(([name, value]) => (value ? [[name, value] as const] : [])));
    reload();
  };
  const add = <Button first onClick={() => setAdds(true)}>{m.keys.add}</Button>;
  return (
    <>
      <div className="card flush">
        {trouble ? <Trouble of={trouble} again={reload} /> : !data ? loading && <Waiting />
          : data.keys.length === 0 ? <Empty title={m.keys.noKeys} text={m.keys.noKeysText}>{add}</Empty>
          : <>
            <header><h2>{m.keys.api}</h2>{add}</header>
            <div className="scroll"><table className="list folds"><thead><tr><th>{m.keys.label}</th><th>{m.keys.scopes}</th><th>{m.common.state}</th><th>{m.common.created}</th><th>{m.keys.used}</th><th>{m.keys.until}</th><th><span className="sr">{m.common.actions}</span></th></tr></thead>
              <tbody>{data.keys.map((key) => (
                <tr key={key.id}>
                  <td className="full"><div>{key.label || <span className="muted">{m.keys.unnamed}</span>} <span className="muted mono small">#{key.id}</span></div>{key.networks.length > 0 && <div className="muted small mono">{key.networks.join(' ')}</div>}</td>
                  <td className="mono small">{key.scopes.split(',').join(' ')}</td>
                  <td><Life is={key} /></td>
                  <td><Time at={key.created} /></td>
                  <td><Used is={key} /></td>
                  <td><Until is={key} /></td>
                  <td className="act">{!isOver(key) && <Menu label={m.keys.menu(key.label || `#${key.id}`)} className="button plain icon" button={<span aria-hidden="true">⋯</span>}>
                    <MenuItem onClick={() => setRotates(key)}>{m.keys.rotate}</MenuItem>
                    <MenuItem onClick={() => setEnds(key)}>{m.keys.end}</MenuItem>
                  </Menu>}</td>
                </tr>
              ))}</tbody></table></div>
          </>}
      </div>
      {adds && <AddKey close={() => setAdds(false)} done={told} />}
      {rotates && <Rotate name={rotates.label || `#${rotates.id}`} text={m.keys.rotateText} close={() => setRotates(null)} send={async (hours) => told((await keys.rotate(rotates.id, hours)).key)} />}
      {ends && <ModalForm open close={() => setEnds(null)} title={m.keys.endTitle(ends.label || `#${ends.id}`)} text={m.keys.endText} danger button={m.keys.end}
        send={async () => { await keys.end(ends.id); toast(m.keys.endedToast(ends.label || `#${ends.id}`)); setEnds(null); reload(); }} />}
      {shown && <Shown secrets={shown} close={() => setShown(null)} />}
    </>
  );
}

function AddKey({ close, done }: { close: () => void; done: (key: Awaited<ReturnType<typeof keys.add>>) => void }) {
  const m = useMessages();
  const { session } = useSession();
  const held = KEY_SCOPES.filter((scope) => session.scopes?.includes(scope));
  const [label, setLabel] = useState('');
  const [scopes, setScopes] = useState<KeyScope[]>(held.filter((scope) => scope === 'send' || scope === 'read'));
  const [forSes, setForSes] = useState(false);
  const [networks, setNetworks] = useState('');
  const [days, setDays] = useState('');
  const [tried, setTried] = useState(false);
  const isBare = !forSes && scopes.length === 0;
  const send = async () => {
    setTried(true);
    if (isBare) return;
    const from = listOf(networks);
    const made = await keys.add({ label: label.trim(), scopes: forSes ? ['ses'] : scopes, ...(from.length ? { networks: from } : {}), ...(days ? { days: Number(days) } : {}) });
    close();
    done(made);
  };
  return (
    <ModalForm open close={close} title={m.keys.addTitle} text={m.keys.addText} button={m.keys.make} send={send}>
      <Input label={m.keys.label} hint={m.keys.labelHint} required autoFocus maxLength={100} value={label} onChange={(e) => setLabel(e.target.value)} />
      <Select label={m.keys.kind} value={forSes ? 'ses' : 'api'} onChange={(e) => setForSes(e.target.value === 'ses')} options={[['api', m.keys.kindApi], ['ses', m.keys.kindSes]]} />
      {!forSes && <fieldset className="kinds one"><legend className="label">{m.keys.scopes}</legend>
        {held.map((scope) => <label key={scope}><input type="checkbox" checked={scopes.includes(scope)} onChange={(e) => setScopes(e.target.checked ? [...scopes, scope] : scopes.filter((each) => each !== scope))} /> <span><code>{scope}</code> <span className="muted">{m.keys.scopeWords[scope]}</span></span></label>)}
        {tried && isBare && <p className="wrong" role="alert">{m.keys.oneScope}</p>}
      </fieldset>}
      <Input label={m.keys.networks} hint={m.keys.networksHint} placeholder="192.0.2.0/24" className="input mono" value={networks} onChange={(e) => setNetworks(e.target.value)} />
      <Lives value={days} choose={setDays} />
    </ModalForm>
  );
}

function Lives({ value, choose }: { value: string; choose: (value: string) => void }) {
  const m = useMessages();
  return <Select label={m.keys.life} value={value} onChange={(e) => choose(e.target.value)} options={[['', m.suppressions.forever], ...LIVES.map((days) => [String(days), m.time.days(days)] as const)]} />;
}

function Rotate({ name, text, close, send }: { name: string; text: string; close: () => void; send: (hours: number) => Promise<void> }) {
  const m = useMessages();
  const [hours, setHours] = useState(String(OVERLAP_HOURS));
  return (
    <ModalForm open close={close} title={m.keys.rotateTitle(name)} text={text} button={m.keys.rotate} send={async () => { await send(Number(hours)); close(); }}>
      <Select label={m.keys.overlap} value={hours} onChange={(e) => setHours(e.target.value)} options={[['0', m.keys.atOnce], ['1', m.time.hours(1)], [String(OVERLAP_HOURS), m.time.hours(OVERLAP_HOURS)], ['168', m.time.days(7)]]} />
    </ModalForm>
  );
}

function RelayUsers() {
  const m = useMessages();
  const { session } = useSession();
  const { data, trouble, loading, reload, put } = useLoad(`relay-users:${session.account}`, () => users.list());
  const [adds, setAdds] = useState(false);
  const [rotates, setRotates] = useState<RelayUser | null>(null);
  const [ends, setEnds] = useState<RelayUser | null>(null);
  const [shown, setShown] = useState<Secrets | null>(null);
  const told = (user: { name: string; password: string }) => {
    setShown([[m.keys.user, user.name], [m.common.password, user.password]]);
    reload();
  };
  const more = () => void users.list(data?.next).then((page) => put({ ...page, credentials: [...(data?.credentials ?? []), ...page.credentials] }), (found: unknown) => toast(troubleText(m, found)[0] ?? ''));
  const add = <Button first onClick={() => setAdds(true)}>{m.keys.addUser}</Button>;
  return (
    <>
      <div className="card flush">
        {trouble ? <Trouble of={trouble} again={reload} /> : !data ? loading && <Waiting />
          : data.credentials.length === 0 ? <Empty title={m.keys.noUsers} text={m.keys.noUsersText}>{add}</Empty>
          : <>
            <header><h2>{m.keys.smtp}</h2>{add}</header>
            <div className="scroll"><table className="list folds"><thead><tr><th>{m.keys.user}</th><th>{m.keys.traffic}</th><th>{m.common.state}</th><th>{m.common.created}</th><th>{m.keys.used}</th><th>{m.keys.until}</th><th><span className="sr">{m.common.actions}</span></th></tr></thead>
              <tbody>{data.credentials.map((user) => (
                <tr key={user.name}>
                  <td className="full"><div className="mono">{user.name}</div>{(user.networks.length > 0 || user.from_address) && <div className="muted small">{[user.from_address, user.networks.join(' ')].filter(Boolean).join(' · ')}</div>}{user.held && <div className="small">{m.keys.heldBecause(user.held_because ?? '')}</div>}</td>
                  <td className="muted">{m.keys.traffics[user.traffic]}</td>
                  <td>{user.held && !isOver(user) ? <Badge tone="bad">{m.keys.held}</Badge> : <Life is={user} />}</td>
                  <td><Time at={user.created} /></td>
                  <td><Used is={user} /></td>
                  <td><Until is={user} /></td>
                  <td className="act">{!isOver(user) && <Menu label={m.keys.menu(user.name)} className="button plain icon" button={<span aria-hidden="true">⋯</span>}>
                    <MenuItem onClick={() => setRotates(user)}>{m.keys.rotateUser}</MenuItem>
                    <MenuItem onClick={() => setEnds(user)}>{m.keys.end}</MenuItem>
                  </Menu>}</td>
                </tr>
              ))}</tbody></table></div>
            {data.next && <div className="more"><span /><Button onClick={more}>{m.common.more}</Button></div>}
          </>}
      </div>
      {adds && <AddUser close={() => setAdds(false)} done={told} />}
      {rotates && <Rotate name={rotates.name} text={m.keys.rotateUserText} close={() => setRotates(null)} send={async (hours) => told(await users.rotate(rotates.name, hours))} />}
      {ends && <ModalForm open close={() => setEnds(null)} title={m.keys.endTitle(ends.name)} text={m.keys.endUserText} danger button={m.keys.end}
        send={async () => { await users.end(ends.name); toast(m.keys.endedToast(ends.name)); setEnds(null); reload(); }} />}
      {shown && <Shown secrets={shown} close={() => setShown(null)} />}
    </>
  );
}

function AddUser({ close, done }: { close: () => void; done: (user: Awaited<ReturnType<typeof users.add>>) => void }) {
  const m = useMessages();
  const [name, setName] = useState('');
  const [traffic, setTraffic] = useState<string>('automatic');
  const [from, setFrom] = useState('');
  const [networks, setNetworks] = useState('');
  const [days, setDays] = useState('');
  const send = async () => {
    const list = listOf(networks);
    const made = await users.add({ name: name.trim(), traffic, ...(from.trim() ? { from_address: from.trim() } : {}), ...(list.length ? { networks: list } : {}), ...(days ? { days: Number(days) } : {}) });
    close();
    done(made);
  };
  return (
    <ModalForm open close={close} title={m.keys.addUser} text={m.keys.addUserText} button={m.keys.make} send={send}>
      <Input label={m.keys.user} hint={m.keys.userHint} required autoFocus autoComplete="off" spellCheck={false} pattern="[A-Za-z0-9._@+\-]+" className="input mono" value={name} onChange={(e) => setName(e.target.value)} />
      <Select label={m.keys.traffic} value={traffic} onChange={(e) => setTraffic(e.target.value)} options={TRAFFICS.map((each) => [each, m.keys.traffics[each] ?? each] as const)} />
      <Input label={m.keys.fromAddress} hint={m.keys.fromHint} type="email" value={from} onChange={(e) => setFrom(e.target.value)} />
      <Input label={m.keys.networks} hint={m.keys.networksHint} placeholder="192.0.2.0/24" className="input mono" value={networks} onChange={(e) => setNetworks(e.target.value)} />
      <Lives value={days} choose={setDays} />
    </ModalForm>
  );
}
