// How fast mail goes to each receiver now, up to which limit, and why.
import { useState } from 'react';
import { type Lane, operations } from '../api/operations';
import { Badge, Button, Check, Empty, Form, Input, PageHead, Time, Trouble, Waiting } from '../design/parts';
import { useMessages } from '../messages';
import { useLive } from '../shell/live';
import { useLoad } from '../shell/load';
import { useQuery } from '../shell/router';

const LIMIT = 500;
const SECONDS = 5;
const SLOWED = ['too_fast', 'too_many', 'answers_late', 'slowed', 'probing', 'warming_up'];

const isResting = (lane: Lane) => !!lane.rests_until && Date.parse(lane.rests_until) > Date.now();
const toneOfLane = (lane: Lane) => (isResting(lane) || ['suspended', 'not_begun'].includes(lane.reason) ? 'bad' : SLOWED.includes(lane.reason) ? 'warn' : 'good');

export default function Lanes() {
  const m = useMessages();
  const [query, change] = useQuery();
  const site = query.get('site') ?? '';
  const source = query.get('source') ?? '';
  const all = query.get('all') === '1';
  const [typed, setTyped] = useState(site);
  const { data, trouble, loading, reload } = useLoad(`lanes:${site}:${source}:${all}`, () => operations.lanes({ site, source, all, limit: LIMIT }));
  useLive(reload, SECONDS);
  const lanes = data?.lanes ?? [];
  const isFiltered = !!site || !!source;
  return (
    <>
      <PageHead title={m.lanes.title} text={m.lanes.text} />
      <Form className="filters" send={() => change({ site: typed.trim() })}>
        <Input label={m.lanes.site} hideLabel type="search" placeholder={m.lanes.filter} maxLength={253} value={typed} onChange={(e) => setTyped(e.target.value)} />
        <Button type="submit">{m.common.search}</Button>
        {isFiltered && <Button plain onClick={() => { setTyped(''); change({ site: null, source: null }); }}>{m.common.clear}</Button>}
        <Check label={m.lanes.all} checked={all} onChange={(e) => change({ all: e.target.checked ? '1' : null })} />
      </Form>
      {!!trouble && <Trouble of={trouble} again={reload} />}
      <div className="card flush">
        {!data ? loading && <Waiting rows={8} />
          : lanes.length === 0 ? <Empty title={isFiltered ? m.lanes.noneTitle : m.lanes.emptyTitle} text={isFiltered ? m.lanes.noneText : m.lanes.emptyText} />
          : <div className="scroll"><table className="list folds"><thead><tr><th>{m.lanes.receiver}</th><th className="num">{m.lanes.waiting}</th><th className="num">{m.lanes.connections}</th><th className="num">{m.lanes.pace}</th><th className="num">{m.lanes.atMost}</th><th>{m.lanes.why}</th></tr></thead>
            <tbody>{lanes.map((lane) => <Row key={`${lane.source} ${lane.site}`} lane={lane} only={(name) => change({ source: name })} />)}</tbody></table></div>}
        {lanes.length === LIMIT && <div className="more"><span className="muted">{m.lanes.cut(LIMIT)}</span></div>}
      </div>
    </>
  );
}

function Row({ lane, only }: { lane: Lane; only: (source: string) => void }) {
  const m = useMessages();
  const pace = (value: number | null) => (value === null ? <span className="muted">–</span> : m.lanes.perSecond(value));
  const until = isResting(lane) ? lane.rests_until : lane.eases_at;
  return (
    <tr>
      <td className="full"><div>{lane.site}</div><div className="muted small">{m.lanes.from} <button type="button" className="linklike mono" onClick={() => only(lane.source)}>{lane.source}</button></div></td>
      <td className="num">{m.lanes.count(lane.waiting)}</td>
      <td className="num">{m.lanes.of(lane.connections, lane.connections_max)}</td>
      <td className="num">{isResting(lane) ? <span className="muted">–</span> : pace(lane.messages_per_second)}</td>
      <td className="num">{pace(lane.messages_per_second_max)}</td>
      <td className="full"><Badge tone={toneOfLane(lane)}>{isResting(lane) ? m.lanes.rests : (m.lanes.words[lane.reason] ?? lane.reason)}</Badge>
        <div className="small">{isResting(lane) ? m.lanes.restsWhy : m.lanes.reasons[lane.reason]}</div>
        <div className="muted small">{until ? <>{m.lanes.until} <Time at={until} /></> : lane.since && <>{m.lanes.since} <Time at={lane.since} /></>}{lane.throttled_at !== null && <> · {m.lanes.throttled(lane.throttled_at)}</>}{lane.latency_ms > 0 && <> · {m.lanes.latency(lane.latency_ms)}</>}</div></td>
    </tr>
  );
}
