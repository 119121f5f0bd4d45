// What waits to be sent, who works on it, and what is wrong with the installation.
import { operations, type Status } from '../api/operations';
import { Badge, Empty, PageHead, Time, Trouble, Waiting } from '../design/parts';
import { useMessages, useSpoken } from '../messages';
import { useLive } from '../shell/live';
import { useLoad } from '../shell/load';
import { Link } from '../shell/router';

const SECONDS = 10;

export default function Engine() {
  const m = useMessages();
  const status = useLoad('engine', () => operations.status());
  const nodes = useLoad('nodes', () => operations.nodes());
  useLive(status.reload, SECONDS);
  useLive(nodes.reload, SECONDS);
  // Both at once: what comes second would push the other down.
  if ((!status.data && !status.trouble) || (!nodes.data && !nodes.trouble))
    return <><PageHead title={m.engine.title} text={m.engine.text} /><div className="card flush"><Waiting rows={8} /></div></>;
  return (
    <>
      <PageHead title={m.engine.title} text={m.engine.text} />
      <div className="stack">
        {!!status.trouble && <Trouble of={status.trouble} again={status.reload} />}
        {status.data && <Warnings status={status.data} />}
        <section className="card flush">
          <header><h2>{m.engine.queues}</h2></header>
          {status.data && <Queues status={status.data} />}
        </section>
        <section className="card flush">
          <header><h2>{m.engine.nodes}</h2></header>
          {nodes.trouble ? <Trouble of={nodes.trouble} again={nodes.reload} /> : !nodes.data ? null
            : nodes.data.nodes.length === 0 ? <Empty title={m.engine.noNodes} text={m.engine.noNodesText} />
            : <div className="scroll"><table className="list folds"><thead><tr><th>{m.engine.node}</th><th>{m.common.state}</th><th>{m.engine.roles}</th><th>{m.engine.sources}</th><th className="num">{m.engine.inHand}</th><th>{m.engine.since}</th></tr></thead>
              <tbody>{nodes.data.nodes.map((node) => (
                <tr key={node.key}>
                  <td className="full"><div>{node.node}</div><div className="muted small">{[node.host, node.version].filter(Boolean).join(' · ')}</div></td>
                  <td><Badge tone={node.state === 'alive' ? 'good' : node.state === 'lapsed' ? 'warn' : 'bad'}>{m.engine.states[node.state]}</Badge>{node.leads && <> <Badge tone="info">{m.engine.leads}</Badge></>}</td>
                  <td className="muted">{node.roles.split(',').join(', ')}</td>
                  <td className="muted mono small">{node.sources.join(' ') || '–'}</td>
                  <td className="num">{m.engine.recipients(node.recipients)}</td>
                  <td><Time at={node.entered} /></td>
                </tr>
              ))}</tbody></table></div>}
        </section>
      </div>
    </>
  );
}

function Warnings({ status }: { status: Status }) {
  const m = useMessages();
  const { language } = useSpoken();
  const told = [...status.hold, ...status.differences].map((each) => (language === 'ja' ? each.text_ja : each.text));
  const all = [
    status.draining && m.engine.draining,
    ...(status.missing_roles ?? []).map((role) => m.engine.missing(role)),
    status.journal && m.engine.journal(status.journal),
    status.shipping && m.engine.shipping(status.shipping),
    ...told,
  ].filter((each): each is string => !!each);
  if (all.length === 0) return <p className="note good">{m.engine.whole}</p>;
  return <div className="note warn">{all.map((each) => <p key={each}>{each}</p>)}</div>;
}

function Queues({ status }: { status: Status }) {
  const m = useMessages();
  const { reserved } = status;
  return (
    <>
      <div className="scroll"><table className="list folds"><thead><tr><th>{m.engine.class}</th><th className="num">{m.engine.waiting}</th><th>{m.engine.earliest}</th><th className="num">{m.engine.aside}</th></tr></thead>
        <tbody>{status.queues.map((queue) => (
          <tr key={queue.class}>
            <td className="full">{m.engine.classes[queue.class] ?? queue.class}</td>
            <td className="num">{m.engine.recipients(queue.waiting)}</td>
            <td>{queue.earliest_due ? <Time at={queue.earliest_due} /> : <span className="muted">–</span>}</td>
            <td className="num">{queue.set_aside > 0 ? <Link href="/held">{m.engine.recipients(queue.set_aside)}</Link> : m.engine.recipients(0)}</td>
          </tr>
        ))}</tbody></table></div>
      {reserved && <p className="padded muted">{m.engine.reserved(reserved.deliveries, reserved.recipients, reserved.more)} {reserved.first && <>{m.engine.first} <Time at={reserved.first} style="exact" /></>}</p>}
    </>
  );
}
