// From where mail leaves, and where each address stands in its warm-up.
import { operations, type Source } from '../api/operations';
import { Badge, ButtonLink, Empty, Facts, PageHead, Trouble, Waiting } from '../design/parts';
import { useMessages } from '../messages';
import { useLive } from '../shell/live';
import { useLoad } from '../shell/load';

const SECONDS = 30;
const DAYS_SHOWN = 14;

export default function Sources() {
  const m = useMessages();
  const { data, trouble, loading, reload } = useLoad('sources', () => operations.sources());
  useLive(reload, SECONDS);
  return (
    <>
      <PageHead title={m.sources.title} text={m.sources.text} />
      <div className="stack">
        {!!trouble && <Trouble of={trouble} again={reload} />}
        {!data ? loading && <div className="card"><Waiting /></div>
          : data.sources.length === 0 ? <div className="card"><Empty title={m.sources.emptyTitle} text={m.sources.emptyText} /></div>
          : data.sources.map((source) => <One key={source.name} source={source} />)}
      </div>
    </>
  );
}

function One({ source }: { source: Source }) {
  const m = useMessages();
  const plan = source.warm_up;
  const isWarming = plan && source.state === 'warming_up';
  return (
    <section className="card stack">
      <div className="row"><h2 className="mono grow">{source.name}</h2><Badge tone={isWarming ? 'warn' : source.state === 'not_begun' ? 'info' : 'good'}>{m.sources.states[source.state] ?? source.state}</Badge></div>
      <Facts rows={[
        [m.sources.traffic, m.sources.traffics[source.traffic] ?? source.traffic],
        source.via && [m.sources.via, <span className="mono">{source.via}</span>],
        plan && [m.sources.firstDay, plan.first_day],
        isWarming && [m.sources.step, m.sources.stepOf(plan.step, plan.steps)],
        isWarming && [m.sources.today, m.sources.used(plan.taken, plan.volume)],
        isWarming && [m.sources.over, plan.overflow === 'pool' ? m.sources.overPool : m.sources.overTomorrow],
      ]} />
      {isWarming && <>
        <div className="meter" role="img" aria-label={m.sources.used(plan.taken, plan.volume)}><i className="bar" style={{ width: `${Math.min(100, (100 * plan.taken) / Math.max(1, plan.volume))}%` }} /></div>
        <Curve plan={plan} />
        {plan.receivers.length > 0 && <div className="scroll"><table className="list folds"><thead><tr><th>{m.lanes.receiver}</th><th className="num">{m.sources.sent}</th><th className="num">{m.sources.volume}</th><th className="num">{m.sources.left}</th></tr></thead>
          <tbody>{plan.receivers.map((each) => <tr key={each.receiver}><td className="full">{each.receiver}</td><td className="num">{m.lanes.count(each.taken)}</td><td className="num">{m.lanes.count(each.volume)}</td><td className="num">{m.lanes.count(each.left)}</td></tr>)}</tbody></table></div>}
      </>}
      <div className="row"><ButtonLink href={`/lanes?source=${encodeURIComponent(source.name)}`}>{m.sources.lanes}</ButtonLink></div>
    </section>
  );
}

/** The plan's volumes, with what has gone of each day so far. */
function Curve({ plan }: { plan: NonNullable<Source['warm_up']> }) {
  const m = useMessages();
  const first = Math.max(0, Math.min(plan.step - 1 - DAYS_SHOWN / 2, plan.volumes.length - DAYS_SHOWN));
  const volumes = plan.volumes.slice(first, first + DAYS_SHOWN);
  const most = Math.max(1, ...volumes);
  const width = 560 / Math.max(1, volumes.length);
  return (
    <figure className="stack tight">
      <figcaption className="label">{m.sources.curve}</figcaption>
      <svg className="chart" viewBox="0 0 560 168" preserveAspectRatio="none" role="img" aria-label={m.sources.curveText(plan.volumes[0] ?? 0, plan.volumes[plan.volumes.length - 1] ?? 0, plan.steps)}>
        <line x1="0" y1="160" x2="560" y2="160" />
        {volumes.map((volume, i) => {
          const height = (150 * volume) / most;
          const step = first + i + 1;
          return <rect key={step} x={i * width + 2} width={Math.max(1, width - 4)} y={160 - height} height={height} opacity={step <= plan.step ? 1 : 0.35}><title>{m.sources.stepVolume(step, volume)}</title></rect>;
        })}
      </svg>
    </figure>
  );
}
