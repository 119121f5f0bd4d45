// Stored contents: their versions, their insert codes, and how one looks with values of one's own.
import { useState } from 'react';
import { api } from '../api/client';
import { Badge, Button, Empty, Facts, Input, PageHead, Select, Time, Trouble, Waiting } from '../design/parts';
import { Preview } from '../design/preview';
import { useMessages } from '../messages';
import type { PageProps } from '../shell/frame';
import { useLoad, useSettled } from '../shell/load';
import { Link, useQuery } from '../shell/router';
import { useSession } from '../shell/session';
import { valuesOf } from './codes';

const LIMIT = 100;

export default function Templates({ rest }: PageProps) {
  const id = Number(rest[0]);
  return id > 0 ? <One id={id} /> : <List />;
}

function List() {
  const m = useMessages();
  const [query, change] = useQuery();
  const after = Number(query.get('after')) || undefined;
  const { data, trouble, loading, reload } = useLoad(`templates:${after}`, (signal) => api.get('/templates', { query: { limit: LIMIT, after_id: after }, signal }));
  const rows = data?.data ?? [];
  return (
    <>
      <PageHead title={m.templates.title} text={m.templates.text} />
      <div className="card flush">
        {trouble ? <Trouble of={trouble} again={reload} /> : !data ? loading && <Waiting />
          : rows.length === 0 ? <Empty title={m.templates.emptyTitle} text={m.templates.emptyText} />
          : <div className="scroll"><table className="list folds"><thead><tr><th>{m.common.nameOf}</th><th className="num">{m.templates.version}</th><th>{m.templates.changed}</th><th className="num">ID</th></tr></thead>
            <tbody>{rows.map((row) => <tr key={row.template_id}><td className="full"><Link href={`/templates/${row.template_id}`}>{row.name}</Link></td><td className="num">{row.latest_version}</td><td><Time at={row.updated_time} /></td><td className="num muted">{row.template_id}</td></tr>)}</tbody></table></div>}
        {(after || data?.next) && <div className="more"><Button disabled={!after} onClick={() => history.back()}>{m.common.back}</Button><Button disabled={!data?.next} onClick={() => change({ after: String(data?.next ?? '') })}>{m.common.more}</Button></div>}
      </div>
    </>
  );
}

function One({ id }: { id: number }) {
  const m = useMessages();
  const { can } = useSession();
  const [query, change] = useQuery();
  const version = Number(query.get('version')) || undefined;
  const { data, trouble, loading, reload } = useLoad(`template:${id}:${version}`, (signal) => api.get('/templates/{template}', { path: { template: String(id) }, query: { version }, signal }));
  const [values, setValues] = useState<Record<string, string>>({});
  const settled = useSettled(values);
  const preview = useLoad(data && can('content') ? `template-preview:${id}:${data.version}:${JSON.stringify(settled)}` : null, (signal) =>
    api.post('/deliveries/-/preview', { body: { template: id, template_version: data?.version, ...valuesOf((data?.codes ?? []).map(({ key }) => key), settled), from: data?.from ?? { email: 'sender@example.com', name: '' } }, signal }));
  if (trouble) return <Trouble of={trouble} again={reload} />;
  if (!data) return loading ? <div className="card"><Waiting /></div> : null;
  return (
    <>
      <PageHead title={data.name} text={<Link href="/templates">{m.templates.title}</Link>}>
        <Select label={m.templates.version} hideLabel value={String(data.version)} onChange={(e) => change({ version: Number(e.target.value) === data.latest_version ? null : e.target.value })}
          options={data.versions.map((each) => [String(each.version), `${m.templates.versionOf(each.version)}${each.version === data.latest_version ? ` (${m.templates.latest})` : ''}`] as const)} />
      </PageHead>
      <div className="split later">
        <div className="stack">
          {preview.trouble ? <Trouble of={preview.trouble} again={preview.reload} /> : preview.data ? <Preview mail={preview.data} /> : can('content') && <div className="card"><Waiting rows={6} /></div>}
        </div>
        <div className="stack">
          <section className="card"><Facts rows={[[m.common.created, <Time at={data.created_time} />], [m.templates.changed, <Time at={data.updated_time} />], ['ID', data.template_id], data.from && [m.common.from, data.from.email]]} /></section>
          <section className="card stack"><h2>{m.templates.codes}</h2>
            {data.codes.length === 0 ? <p className="muted">{m.templates.noCodes}</p>
              : <><p className="muted small">{m.templates.values}</p>{data.codes.map(({ key, required }) => <Input key={key} label={key} hint={required && <Badge>{m.templates.required}</Badge>} value={values[key] ?? ''} onChange={(e) => setValues({ ...values, [key]: e.target.value })} />)}</>}
          </section>
          <section className="card stack tight"><h2>{m.templates.versions}</h2><ul className="stack tight">{data.versions.map((each) => <li key={each.version} className="row apart"><Link href={`/templates/${id}?version=${each.version}`} aria-current={each.version === data.version ? 'true' : undefined}>{m.templates.versionOf(each.version)}</Link><span className="muted small"><Time at={each.created_time} /></span></li>)}</ul></section>
        </div>
      </div>
    </>
  );
}
