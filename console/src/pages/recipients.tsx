// The list of a bulk mail: dropped in, looked at by the engine, compared with the codes of the content, taken.
import { type DragEvent, useRef, useState } from 'react';
import { Badge, Button, Facts, Trouble, useAction } from '../design/parts';
import { useMessages, useSpoken } from '../messages';
import { compared } from './list';
import { check, type Checked, type Draft, isReadable, shownCode, stored, take } from './draft';

const OTHERS_SHOWN = 12;

export function Recipients({ draft, change, keys, setRow }: { draft: Draft; change: (some: Partial<Draft>) => void; keys: string[]; setRow: (row: Record<string, string> | undefined) => void }) {
  const m = useMessages();
  const { language } = useSpoken();
  const number = (value: number) => new Intl.NumberFormat(language).format(value);
  const [file, setFile] = useState<File | null>(null);
  const [found, setFound] = useState<Checked | null>(null);
  const [over, setOver] = useState(false);
  const { busy, trouble, run } = useAction();
  const input = useRef<HTMLInputElement>(null);
  const look = (chosen: File) => {
    setFile(chosen);
    setFound(null);
    void run(async () => {
      const now = await stored(draft);
      change({ id: now.id, begunOf: now.begunOf, hadQuiet: now.hadQuiet, recipients: now.recipients });
      const checked = await check(now.id ?? 0, chosen);
      setFound(checked);
      change({ columns: checked.head.columns });
      setRow(checked.head.first);
    });
  };
  const takeIt = () => void run(async () => {
    if (!file) return;
    const now = await stored(draft);
    const job = await take(now.id ?? 0, file);
    change({ id: now.id, begunOf: now.begunOf, hadQuiet: now.hadQuiet, file: file.name, recipients: job.success_count ?? 0 });
    setFound(null);
  });
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const [dropped] = event.dataTransfer.files;
    if (dropped && canLook) look(dropped);
  };
  const canLook = isReadable(draft) && !busy;
  const isMoved = draft.id !== undefined && draft.begunOf !== draft.template;
  return (
    <section className="card stack" aria-label={m.deliveries.recipients}>
      <div className="row apart"><h2>{m.deliveries.recipients}</h2>{draft.recipients !== undefined && !isMoved && <Badge tone="good">{m.compose.taken(draft.recipients)}</Badge>}</div>
      {draft.recipients !== undefined && !isMoved && draft.file && <p className="muted">{m.compose.takenOf(draft.file)}</p>}
      {isMoved && <div className="note warn">{m.compose.moved}</div>}
      <div className={over ? 'drop over' : 'drop'} onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={drop}>
        <input ref={input} className="sr" type="file" id="list" accept=".csv,.tsv,.txt,text/csv" disabled={!canLook} onChange={(e) => { const [chosen] = e.target.files ?? []; if (chosen) look(chosen); e.target.value = ''; }} />
        <label htmlFor="list">{file && !found && busy ? m.compose.looking(file.name) : m.compose.drop}</label>
        <p className="muted small">{isReadable(draft) ? m.compose.dropText : m.compose.dropLater}</p>
      </div>
      <Trouble of={trouble} />
      {found && file && <Looked found={found} keys={keys} name={file.name} number={number} />}
      {found && file && <div className="row"><Button first busy={busy} disabled={!found.list?.check?.recipients} onClick={takeIt}>{draft.recipients === undefined ? m.compose.take(found.list?.check?.recipients ?? 0) : m.compose.takeInstead(found.list?.check?.recipients ?? 0)}</Button></div>}
      {!found && draft.columns && <Codes keys={keys} columns={draft.columns} missing={{}} />}
    </section>
  );
}

function Looked({ found, keys, name, number }: { found: Checked; keys: string[]; name: string; number: (value: number) => string }) {
  const m = useMessages();
  const list = found.list;
  const sums = list?.check;
  const missing = Object.fromEntries((sums?.codes ?? []).map(({ key, missing: without }) => [key, without]));
  return (
    <div className="stack" role="status">
      <Facts rows={[
        [m.compose.file, name],
        list && [m.compose.encoding, <>{m.compose.encodings[list.encoding] ?? list.encoding} {list.encoding_by && <span className="muted">({m.compose.encodingBy[list.encoding_by]})</span>}</>],
        list?.separator && [m.compose.separator, m.compose.separators[list.separator] ?? list.separator],
        [m.compose.columns, found.head.columns.map((column) => <code key={column} className="chip">{column}</code>)],
      ]} />
      {sums && (
        <dl className="figures">
          <div><dt>{m.compose.rows}</dt><dd>{number(sums.rows)}</dd></div>
          <div><dt>{m.deliveries.recipients}</dt><dd>{number(sums.recipients)}</dd></div>
          <div><dt>{m.compose.malformed}</dt><dd>{number(sums.malformed)}</dd></div>
          <div><dt>{m.compose.duplicates}</dt><dd>{number(sums.duplicates)}</dd></div>
          <div><dt>{m.compose.suppressed}</dt><dd>{number(sums.suppressed)}</dd></div>
        </dl>
      )}
      {!sums && <div className="note bad">{m.compose.unread}</div>}
      {found.bad.length > 0 && (
        <div className="note warn stack tight">
          <p><strong>{m.compose.badRows}</strong> {m.compose.badRowsText}</p>
          <ul className="stack tight">{found.bad.map((each, i) => <li key={i}>{each.reason}{each.row && <code className="answer">{each.row}</code>}</li>)}</ul>
          {found.badFile && <p><a href={found.badFile} download="refused-rows.zip">{m.compose.badFile}</a></p>}
        </div>
      )}
      <Codes keys={keys} columns={found.head.columns} missing={missing} />
    </div>
  );
}

/** Codes of the content against columns of the list, as both are now. */
function Codes({ keys, columns, missing }: { keys: string[]; columns: string[]; missing: Record<string, number> }) {
  const m = useMessages();
  const { lacking, unused } = compared(keys, columns);
  if (keys.length === 0 && unused.length === 0) return null;
  return (
    <div className="stack tight">
      <h3>{m.templates.codes}</h3>
      <ul className="stack tight">{keys.map((key) => {
        const without = missing[key] ?? 0;
        return (
          <li key={key} className="row"><code>{shownCode(key)}</code>{lacking.includes(key) ? <Badge tone="bad">{m.compose.noColumn}</Badge> : without > 0 ? <Badge tone="warn">{m.compose.without(without)}</Badge> : <Badge tone="good">{m.compose.hasColumn}</Badge>}</li>
        );
      })}</ul>
      {unused.length > 0 && <p className="muted small">{m.compose.unused}: {unused.slice(0, OTHERS_SHOWN).join(', ')}</p>}
    </div>
  );
}
