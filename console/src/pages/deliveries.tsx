// All deliveries, and one of them.
import { useState } from 'react';
import { api, type Answer } from '../api/client';
import { Badge, Button, ButtonLink, Empty, Form, Input, PageHead, Select, State, Time, Trouble, Waiting } from '../design/parts';
import { useMessages } from '../messages';
import type { PageProps } from '../shell/frame';
import { useLoad } from '../shell/load';
import { Link, useQuery } from '../shell/router';
import { useSession } from '../shell/session';
import { type Approval, waitingAmong } from './approvals';
import Delivery from './delivery';
import { Subject } from './subject';

const SIZE = 50;
const STATES = ['EDIT', 'IMPORTING', 'RESERVE', 'WAIT', 'SENDING', 'SENT', 'FAILED'] as const;
// To the contract's statuses what was stopped is SENT: a state of its own here.
const STOPPED = 'stopped';
const TYPES = ['TRANSACTION', 'BULK', 'SMTP'] as const;

export default function Deliveries({ rest }: PageProps) {
  const id = Number(rest[0]);
  return Number.isSafeInteger(id) && id > 0 ? <Delivery id={id} /> : <List />;
}

function List() {
  const m = useMessages();
  const { session, can } = useSession();
  const [query, change] = useQuery();
  const page = Math.max(1, Number(query.get('page')) || 1);
  const filters = { subject: query.get('subject') ?? '', from: query.get('from') ?? '', tag: query.get('tag') ?? '', status: query.get('status') ?? '', type: query.get('type') ?? '' };
  const isFiltered = Object.values(filters).some(Boolean);
  const { data, trouble, loading, reload } = useLoad(`deliveries:${session.account}:${page}:${JSON.stringify(filters)}`, (signal) =>
    api.get('/deliveries/all', {
      query: {
        size: SIZE, page, with_outcome: true, subject: filters.subject, from: filters.from, tag: filters.tag,
        'status[]': STATES.filter((each) => each === filters.status), stopped: filters.status === STOPPED ? true : filters.status === 'SENT' ? false : undefined, 'delivery_type[]': TYPES.filter((each) => each === filters.type),
      },
      signal,
    }).then(async ({ data }) => ({ data, waiting: await waitingAmong(data, signal) })),
  );
  const rows = data?.data ?? [];
  return (
    <>
      <PageHead title={m.deliveries.title} text={m.deliveries.text}>{can('send') && <ButtonLink href="/compose" first>{m.nav.compose}</ButtonLink>}</PageHead>
      <Filters key={query.toString()} {...filters} change={(next) => change({ ...next, page: null })} />
      <div className="card flush">
        {trouble ? <div className="card"><Trouble of={trouble} again={reload} /></div>
          : !data ? loading && <Waiting rows={8} />
          : rows.length === 0 ? (isFiltered
            ? <Empty title={m.deliveries.noneTitle} text={m.deliveries.noneText}><Button onClick={() => change({ subject: null, from: null, tag: null, status: null, type: null, page: null })}>{m.deliveries.clear}</Button></Empty>
            : <Empty title={m.deliveries.emptyTitle} text={m.deliveries.emptyText} />)
          : (
            <div className="scroll">
              <table className="list folds">
                <thead><tr><th>{m.common.subject}</th><th>{m.deliveries.stateFilter}</th><th>{m.deliveries.typeFilter}</th><th>{m.deliveries.started}</th><th className="num">ID</th></tr></thead>
                <tbody>
                  {rows.map((row) => (
                    <tr key={row.delivery_id}>
                      <td className="full"><Link className="cut" href={`/deliveries/${row.delivery_id}`}><Subject of={row.subject} /></Link><span className="muted small cut">{row.to && <>{m.deliveries.goesTo(row.to, row.total_count ?? 1)} · </>}{row.from.name ? `${row.from.name} <${row.from.email}>` : row.from.email}</span></td>
                      <td><Outcome row={row} approval={data.waiting.get(row.delivery_id)} /></td>
                      <td className="muted">{m.types[row.delivery_type]}</td>
                      <td><Starts row={row} approval={data.waiting.get(row.delivery_id)} /></td>
                      <td className="num muted">{row.delivery_id}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        {data && (page > 1 || rows.length === SIZE) && (
          <div className="more">
            <Button disabled={page <= 1} onClick={() => change({ page: page > 2 ? String(page - 1) : null })}>{m.common.newer}</Button>
            <span className="muted">{m.common.page(page)}</span>
            <Button disabled={rows.length < SIZE} onClick={() => change({ page: String(page + 1) })}>{m.common.older}</Button>
          </div>
        )}
      </div>
    </>
  );
}

type Row = Answer<'/deliveries/all', 'get'>['data'][number];

/** When it began or is to; what nobody has approved goes at no time. */
function Starts({ row, approval }: { row: Row; approval: Approval | undefined }) {
  const m = useMessages();
  if (row.delivery_time) return <Time at={row.delivery_time} />;
  if (approval) return <span className="muted">{m.approval.lapses} <Time at={approval.lapses_at} /></span>;
  return row.reservation_time ? <span className="muted">{m.deliveries.reservedFor} <Time at={row.reservation_time} /></span> : <span className="muted">{m.deliveries.notStarted}</span>;
}

/** What became of it: of one mail its own end, of a bulk how many failed. */
function Outcome({ row, approval }: { row: Row; approval: Approval | undefined }) {
  const m = useMessages();
  if (approval) return <State of="approval" />;
  const state = row.state ?? row.status;
  const failed = (row.hard_error_count ?? 0) + (row.soft_error_count ?? 0);
  const isOver = row.status === 'SENT';
  if (!isOver) return <State of={state} />;
  if (row.total_count === 1 && state === 'sent')
    return <State of={row.sent_count ? 'delivered' : row.hard_error_count ? 'bounced' : row.soft_error_count ? 'expired' : row.drop_count ? 'dropped' : state} />;
  return <span className="row"><State of={state} />{failed > 0 && <Badge tone="bad">{m.deliveries.failed(failed)}</Badge>}</span>;
}

function Filters({ subject, from, tag, status, type, change }: Record<'subject' | 'from' | 'tag' | 'status' | 'type', string> & { change: (next: Record<string, string | null>) => void }) {
  const m = useMessages();
  const [typed, setTyped] = useState({ subject, from, tag });
  const all = [['', `${m.deliveries.stateFilter}: ${m.common.all}`] as const];
  return (
    <Form className="filters" send={() => change(typed)}>
      <Input label={m.deliveries.subjectFilter} placeholder={m.deliveries.subjectFilter} hideLabel maxLength={30} value={typed.subject} onChange={(e) => setTyped({ ...typed, subject: e.target.value })} />
      <Input label={m.deliveries.senderFilter} placeholder={m.deliveries.senderFilter} hideLabel maxLength={254} value={typed.from} onChange={(e) => setTyped({ ...typed, from: e.target.value })} />
      <Input label={m.deliveries.tagFilter} placeholder={m.deliveries.tagFilter} hideLabel maxLength={64} value={typed.tag} onChange={(e) => setTyped({ ...typed, tag: e.target.value })} />
      <Select label={m.deliveries.stateFilter} hideLabel value={status} onChange={(e) => change({ ...typed, status: e.target.value })} options={[...all, ...[...STATES, STOPPED].map((each) => [each, m.states[each] ?? each] as const)]} />
      <Select label={m.deliveries.typeFilter} hideLabel value={type} onChange={(e) => change({ ...typed, type: e.target.value })} options={[['', `${m.deliveries.typeFilter}: ${m.common.all}`], ...TYPES.map((each) => [each, m.types[each] ?? each] as const)]} />
      <Button type="submit">{m.common.search}</Button>
    </Form>
  );
}
