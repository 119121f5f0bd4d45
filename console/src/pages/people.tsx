// Who may sign in to the account, with which role, and what the account asks of everybody.
import { useState } from 'react';
import { type Member, others, type Role, ROLES, type Rules } from '../api/door';
import { Area, Badge, Button, Check, Copy, Empty, Form, Input, Menu, MenuItem, Modal, ModalForm, PageHead, Select, Time, toast, Trouble, troubleText, useAction, Waiting } from '../design/parts';
import { LANGUAGES, type Language, useMessages, useSpoken } from '../messages';
import { useLoad } from '../shell/load';
import { useSession } from '../shell/session';

export default function People() {
  const m = useMessages();
  const { session } = useSession();
  const { data, trouble, loading, reload } = useLoad(`people:${session.account}`, () => others.list());
  const [invites, setInvites] = useState(false);
  const [removes, setRemoves] = useState<Member | null>(null);
  const [command, setCommand] = useState<string | null>(null);
  const isOfOperators = session.person?.role === 'operator' && !session.account;
  const roles: readonly Role[] = isOfOperators ? ['operator'] : ROLES;
  const act = (action: () => Promise<unknown>, text: string) => void action().then(() => { toast(text); reload(); }, (found: unknown) => toast(troubleText(m, found)[0] ?? ''));
  const again = (person: Member) => void others.inviteAgain(person.id).then((answer) => { if (answer?.mailed === false) setCommand(answer.command ?? ''); else toast(m.people.invited(person.email)); }, (found: unknown) => toast(troubleText(m, found)[0] ?? ''));
  return (
    <>
      <PageHead title={m.people.title} text={m.people.text}><Button first onClick={() => setInvites(true)}>{m.people.invite}</Button></PageHead>
      <div className="stack">
        <div className="card flush">
          {trouble ? <Trouble of={trouble} again={reload} /> : !data ? loading && <Waiting />
            : data.people.length === 0 ? <Empty title={m.people.emptyTitle} text={m.people.emptyText}><Button first onClick={() => setInvites(true)}>{m.people.invite}</Button></Empty>
            : <div className="scroll"><table className="list folds"><thead><tr><th>{m.common.nameOf}</th><th>{m.people.role}</th><th>{m.common.state}</th><th>{m.people.factor}</th><th>{m.people.seen}</th><th><span className="sr">{m.common.actions}</span></th></tr></thead>
              <tbody>{data.people.map((person) => {
                const isMe = person.id === session.person?.id;
                return (
                  <tr key={person.id}>
                    <td className="full"><div>{person.name || person.email} {isMe && <Badge tone="info">{m.people.you}</Badge>}</div><div className="muted small">{person.email}</div></td>
                    <td>{isMe || isOfOperators ? m.roles[person.role] : <Select label={m.people.changeRole(person.name)} hideLabel value={person.role} options={roles.map((role) => [role, m.roles[role]] as const)} onChange={(e) => act(() => others.change(person.id, { role: e.target.value as Role }), m.people.changed)} />}</td>
                    <td>{person.suspended ? <Badge tone="bad">{m.people.suspended}</Badge> : person.invited ? <Badge tone="info">{m.people.pending}</Badge> : <Badge tone="good">{m.states.active}</Badge>}</td>
                    <td>{person.second_factor ? m.common.on : <span className="muted">{m.common.off}</span>}</td>
                    <td>{person.seen ? <Time at={person.seen} /> : <span className="muted">{m.common.never}</span>}</td>
                    <td className="act">{!isMe && <Menu label={m.people.menu(person.name || person.email)} className="button plain icon" button={<span aria-hidden="true">⋯</span>}>
                      {person.invited && <MenuItem onClick={() => again(person)}>{m.people.again}</MenuItem>}
                      <MenuItem onClick={() => act(() => others.change(person.id, { suspended: !person.suspended }), m.people.changed)}>{person.suspended ? m.people.resume : m.people.suspend}</MenuItem>
                      <MenuItem onClick={() => setRemoves(person)}>{m.common.remove}</MenuItem>
                    </Menu>}</td>
                  </tr>
                );
              })}</tbody></table></div>}
        </div>
        {data && !isOfOperators && <RulesCard account={session.account ?? ''} isOperator={session.person?.role === 'operator'} />}
      </div>
      {invites && <Invite roles={roles} close={() => setInvites(false)} done={(told) => { reload(); if (told !== null) setCommand(told); }} />}
      {removes && <ModalForm open close={() => setRemoves(null)} title={m.people.removeTitle(removes.name || removes.email)} text={m.people.removeText} danger button={m.common.remove}
        send={async () => { await others.remove(removes.id); toast(m.people.removed(removes.name || removes.email)); setRemoves(null); reload(); }} />}
      {command !== null && <Modal open close={() => setCommand(null)} title={m.people.pending}><p>{m.people.notMailed}</p><div className="row nowrap"><pre className="answer grow">{command}</pre><Copy text={command} /></div><div className="row end"><Button onClick={() => setCommand(null)}>{m.common.close}</Button></div></Modal>}
    </>
  );
}

function Invite({ roles, close, done }: { roles: readonly Role[]; close: () => void; done: (command: string | null) => void }) {
  const m = useMessages();
  const { language } = useSpoken();
  const [given, setGiven] = useState({ email: '', name: '', role: roles[roles.length === 1 ? 0 : 2] ?? 'viewer', language: language as Language });
  const texts: Record<Role, string> = { owner: m.roles.ownerText, sender: m.roles.senderText, viewer: m.roles.viewerText, support: m.roles.supportText, operator: m.roles.operatorText };
  const send = async () => {
    const answer = await others.invite({ ...given, email: given.email.trim(), name: given.name.trim() });
    if (answer.mailed) toast(m.people.invited(answer.email));
    close();
    done(answer.mailed ? null : (answer.command ?? ''));
  };
  return (
    <ModalForm open close={close} title={m.people.inviteTitle} text={m.people.inviteText} button={m.people.invite} send={send}>
      <Input label={m.common.email} type="email" required autoFocus value={given.email} onChange={(e) => setGiven({ ...given, email: e.target.value })} />
      <Input label={m.common.nameOf} required maxLength={100} value={given.name} onChange={(e) => setGiven({ ...given, name: e.target.value })} />
      <Select label={m.people.role} hint={texts[given.role]} value={given.role} onChange={(e) => setGiven({ ...given, role: e.target.value as Role })} options={roles.map((role) => [role, m.roles[role]] as const)} />
      <Select label={m.nav.language} value={given.language} onChange={(e) => setGiven({ ...given, language: e.target.value as Language })} options={Object.entries(LANGUAGES)} />
    </ModalForm>
  );
}

function RulesCard({ account, isOperator }: { account: string; isOperator: boolean }) {
  const m = useMessages();
  const { data, trouble, put, reload } = useLoad(`rules:${account}`, () => others.rules());
  return (
    <section className="card stack">
      <h2>{m.people.rules}</h2>
      {trouble ? <Trouble of={trouble} again={reload} /> : data ? <RulesForm key={JSON.stringify(data)} rules={data} saved={put} isOperator={isOperator} /> : <Waiting rows={3} />}
    </section>
  );
}

function RulesForm({ rules, saved, isOperator }: { rules: Rules; saved: (rules: Rules) => void; isOperator: boolean }) {
  const m = useMessages();
  const [given, setGiven] = useState(rules);
  const [networks, setNetworks] = useState(rules.networks.join('\n'));
  const { busy, trouble, run } = useAction();
  const send = () => void run(async () => { saved(await others.setRules({ ...given, networks: networks.split(/[\s,]+/).filter(Boolean) })); toast(m.common.saved); });
  return (
    <Form send={send}>
      <Check label={m.people.ruleFactor} hint={m.people.ruleFactorText} checked={given.second_factor} onChange={(e) => setGiven({ ...given, second_factor: e.target.checked })} />
      <Check label={m.people.ruleApproval} hint={rules.approval && !isOperator ? m.people.ruleApprovalStays : m.people.ruleApprovalText} checked={given.approval} disabled={rules.approval && !isOperator} onChange={(e) => setGiven({ ...given, approval: e.target.checked })} />
      <Area label={m.people.networks} hint={m.people.networksHint} className="input mono" rows={3} value={networks} onChange={(e) => setNetworks(e.target.value)} />
      <Trouble of={trouble} />
      <div className="row"><Button type="submit" busy={busy}>{m.common.save}</Button></div>
    </Form>
  );
}
