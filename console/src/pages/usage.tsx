// How much was accepted by day and month, what is left of limits, and what became of it by tag.
import { useMemo, useState } from 'react';
import { api } from '../api/client';
import { span } from '../design/format';
import { PageHead, Scroll, Trouble, Waiting } from '../design/parts';
import { useMessages, useSpoken } from '../messages';
import { useLoad } from '../shell/load';

export default function Usage() {
  const m = useMessages();
  const { language } = useSpoken();
  const number = useMemo(() => new Intl.NumberFormat(language), [language]);
  const { data, trouble, loading, reload } = useLoad('usage', async (signal) => {
    const [days, months, tags] = await Promise.all([
      api.get('/usages/days', { query: { days: 31 }, signal }), api.get('/usages', { query: { month_ago: 12 }, signal }), api.get('/tags', { query: { days: 7 }, signal }),
    ]);
    return { days, months, tags };
  });
  return (
    <>
      <PageHead title={m.usage.title} text={m.usage.text} />
      {trouble ? <Trouble of={trouble} again={reload} /> : !data ? loading && <div className="card"><Waiting rows={6} /></div> : (
        <div className="stack">
          <section className="card"><header><h2>{m.usage.days}</h2></header><Chart days={[...data.days.data].reverse()} /></section>
          <section className="card stack">
            <h2>{m.usage.limits}</h2>
            {data.days.limits.length === 0 ? <p className="muted">{m.usage.noLimits}</p> : data.days.limits.map((limit) => (
              <div key={limit.limit} className="stack tight">
                <div className="row apart"><strong>{m.usage.limit[limit.limit]}</strong><span className="muted">{m.usage.used(limit.used, limit.most)} · {m.usage.resets(inTime(limit.resets_in, language))}</span></div>
                <div className="meter"><i className={limit.used >= 0.8 * limit.most ? 'warn' : 'bar'} style={{ width: `${Math.min(100, (100 * limit.used) / Math.max(1, limit.most))}%` }} /></div>
              </div>
            ))}
          </section>
          <div className="split even">
            <section className="card flush"><header><h2>{m.usage.months}</h2></header>
              <table className="list"><thead><tr><th>{m.usage.month}</th><th className="num">{m.usage.mails}</th></tr></thead>
                <tbody>{withMail(data.months.data).map((month) => <tr key={month.month}><td>{monthText(month.month, language)}</td><td className="num">{number.format(month.current)}</td></tr>)}
                  {data.months.data.length > withMail(data.months.data).length && <tr><td colSpan={2} className="muted">{m.usage.emptyMonths(data.months.data.length - withMail(data.months.data).length)}</td></tr>}</tbody></table></section>
            <section className="card flush"><header><h2>{m.usage.tags}</h2></header>
              {data.tags.data.length === 0 ? <p className="muted padded">{m.usage.noTags}</p> : <Scroll label={m.usage.tags}><table className="list"><thead><tr><th>{m.usage.tag}</th><th className="num">{m.usage.answered}</th><th className="num">{m.usage.delivered}</th><th className="num">{m.usage.bounces}</th><th className="num">{m.usage.complaints}</th></tr></thead>
                <tbody>{data.tags.data.map((tag) => <tr key={tag.tag}><td>{tag.tag}</td><td className="num">{number.format(tag.answered)}</td><td className="num">{number.format(tag.delivered)}</td><td className="num">{number.format(tag.hard_bounces)}</td><td className="num">{number.format(tag.complaints)}</td></tr>)}</tbody></table></Scroll>}</section>
          </div>
        </div>
      )}
    </>
  );
  function inTime(seconds: number, locale: string): string {
    return locale === 'ja' ? `${span(seconds, m)}後` : `in ${span(seconds, m)}`;
  }
}

/** The newest first: up to the oldest in which there was mail, and this month in any case. */
function withMail<Month extends { current: number }>(months: readonly Month[]): Month[] {
  return months.slice(0, 1 + Math.max(0, months.findLastIndex(({ current }) => current > 0)));
}

function monthText(month: number, language: string): string {
  const at = new Date(Date.UTC(Math.floor(month / 100), (month % 100) - 1, 1));
  return new Intl.DateTimeFormat(language, { year: 'numeric', month: 'long', timeZone: 'UTC' }).format(at);
}

const HEIGHT = 136;
const STEP = 20;

/** Bars of days; the figures are a table for whoever does not see it. */
function Chart({ days }: { days: { day: string; accepted: number }[] }) {
  const m = useMessages();
  const { language } = useSpoken();
  const number = new Intl.NumberFormat(language);
  const dayText = (day: string) => new Intl.DateTimeFormat(language, { month: 'short', day: 'numeric', timeZone: 'UTC' }).format(new Date(`${day}T00:00:00Z`));
  const most = Math.max(1, ...days.map(({ accepted }) => accepted));
  const [shown, setShown] = useState<number | null>(null);
  const chosen = shown === null ? days[days.length - 1] : days[shown];
  return (
    <figure>
      <figcaption className="row apart small"><span className="muted">{chosen ? dayText(chosen.day) : ''}</span><strong>{chosen ? m.deliveries.mails(chosen.accepted) : ''}</strong></figcaption>
      <svg className="chart" viewBox={`0 0 ${days.length * STEP} ${HEIGHT + 4}`} preserveAspectRatio="none" aria-hidden="true" onMouseLeave={() => setShown(null)}>
        <line x1="0" x2={days.length * STEP} y1={HEIGHT + 0.5} y2={HEIGHT + 0.5} vectorEffect="non-scaling-stroke" />
        {days.map((each, i) => {
          const height = each.accepted ? Math.max(2, (HEIGHT * each.accepted) / most) : 0;
          return <g key={each.day} onMouseEnter={() => setShown(i)}><rect x={i * STEP} y={0} width={STEP} height={HEIGHT} fillOpacity="0" /><rect x={i * STEP + 3} y={HEIGHT - height} width={STEP - 6} height={height} rx="2" /></g>;
        })}
      </svg>
      <div className="row apart small muted"><span>{days[0] && dayText(days[0].day)}</span><span>{days.length > 0 && dayText(days[days.length - 1]?.day ?? '')}</span></div>
      <table className="sr"><thead><tr><th>{m.usage.day}</th><th>{m.usage.accepted}</th></tr></thead><tbody>{days.map((each) => <tr key={each.day}><td>{each.day}</td><td>{number.format(each.accepted)}</td></tr>)}</tbody></table>
    </figure>
  );
}
