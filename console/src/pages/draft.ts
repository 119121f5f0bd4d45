// A bulk mail that is being written: what the engine is told of it, and what it says of the list.
import { api, type Answer, call, Refused } from '../api/client';
import { textIn } from '../api/unzip';
import { nameOfCode, valuesOf } from './codes';
import { codesIn, ENCODINGS, type Head, headOf, rowsOf, SEPARATORS, valuesIn } from './list';

/** Japan's clock: that of the engine's days, and of every time that its API tells. */
export const ZONE = 'Asia/Tokyo';
export const ZONE_OFFSET = '+09:00';

/** Kept at the door while it is typed; the list's rows are not in it. */
export interface Draft {
  from: string;
  name: string;
  /** Id of a template; empty: texts of one's own. */
  template: string;
  subject: string;
  text: string;
  html: string;
  purpose: 'advertisement' | 'notice';
  quietFrom: string;
  quietUntil: string;
  at: string;
  /** The delivery at the engine, once a list was looked at. */
  id?: number;
  /** Of what it was begun: another template needs another delivery. */
  begunOf?: string;
  hadQuiet?: boolean;
  file?: string;
  columns?: string[];
  recipients?: number;
}
export const EMPTY: Draft = { from: '', name: '', template: '', subject: '', text: '', html: '', purpose: 'advertisement', quietFrom: '', quietUntil: '', at: '' };

export type TemplateOf = Answer<'/templates/{template}', 'get'>;
export type Findings = Answer<'/deliveries/-/emails/import/{job_id}/findings', 'get'>;
export type Job = Answer<'/deliveries/-/emails/import/{job_id}', 'get'>;

export const keysOf = (draft: Draft, template: TemplateOf | undefined): string[] =>
  draft.template ? (template?.codes ?? []).map(({ key }) => key) : codesIn([draft.subject, draft.text, draft.html]);

const fromOf = (draft: Draft) => (draft.from.trim() ? { from: { email: draft.from.trim(), name: draft.name.trim() } } : {});
const textsOf = (draft: Draft) => ({ subject: draft.subject, text_part: draft.text, html_part: draft.html });
const quietOf = (draft: Draft) => (draft.quietFrom && draft.quietUntil ? { quiet_hours: { from: draft.quietFrom, until: draft.quietUntil, time_zone: ZONE } } : {});
const contentOf = (draft: Draft) => ({ ...fromOf(draft), ...(draft.template ? { template: Number(draft.template) } : textsOf(draft)) });

/** Enough to be looked at. */
export const isReadable = (draft: Draft): boolean => (draft.template ? true : /.@./.test(draft.from) && draft.subject !== '' && (draft.text !== '' || draft.html !== ''));

/** The content as one reader gets it; values of the list's first row, else the codes' names. */
export function sampleOf(draft: Draft, template: TemplateOf | undefined, first: Record<string, string> | undefined) {
  const keys = keysOf(draft, template);
  const { data, insert_code } = valuesOf(keys, first ? valuesIn(keys, first) : {});
  const sender = draft.template && !draft.from.trim() && !template?.from ? { from: { email: 'sender@example.com', name: '' } } : {};
  return { ...contentOf(draft), ...sender, ...(draft.template ? { data } : {}), ...(insert_code ? { insert_code } : {}) };
}

/** False where there is no such delivery any more: somebody has removed it. */
async function isThere(action: () => Promise<unknown>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (found) {
    if (found instanceof Refused && found.status === 404) return false;
    throw found;
  }
}

/**
 * The draft as it is stored at the engine now; begun there, without recipients, when it is not there, or was of another
 * template.
 */
export async function stored(draft: Draft): Promise<Draft> {
  const hadQuiet = 'quiet_hours' in quietOf(draft);
  if (draft.id) {
    const path = { delivery_id: draft.id };
    if (draft.begunOf !== draft.template) await isThere(() => api.delete('/deliveries/{delivery_id}', { path }));
    else if (await isThere(async () => {
      await api.put('/deliveries/bulk/update/{delivery_id}', { path, body: { ...fromOf(draft), ...(draft.template ? {} : textsOf(draft)), purpose: draft.purpose, ...quietOf(draft) } });
      if (draft.hadQuiet && !hadQuiet) await api.delete('/deliveries/{delivery_id}/quiet_hours', { path });
    })) return { ...draft, hadQuiet };
  }
  const texts = draft.template ? {} : { text_part: draft.text || undefined, html_part: draft.html || undefined };
  const made = await api.post('/deliveries/bulk/begin', { body: { ...contentOf(draft), ...texts, purpose: draft.purpose, ...quietOf(draft) } });
  return { ...draft, id: made.delivery_id, begunOf: draft.template, hadQuiet, recipients: undefined };
}

const PAUSE_MS = 400;

async function ended(job_id: number): Promise<Job> {
  for (;;) {
    const job = await api.get('/deliveries/-/emails/import/{job_id}', { path: { job_id } });
    if (job.status !== 'IMPORTING') return job;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

export interface Checked {
  job: Job;
  list: Findings['list'];
  head: Head;
  /** Of each refused row the reason and what stands in it; the first of them. */
  bad: { reason: string; row: string }[];
  /** The engine's file of all of them. */
  badFile: string | null;
}
const HEAD_OCTETS = 65_536;
const BAD_TOLD = 20;

const stream = async (id: number, file: File, how: Record<string, boolean>): Promise<{ id: number; job: Job }> => {
  const query = new URLSearchParams(Object.entries({ ignore_errors: true, ...how }).map(([key, value]) => [key, String(value)]));
  const { job_id } = await call<{ job_id: number }>('POST', `/api/v1/deliveries/${id}/emails/stream?${query}`, new Blob([file], { type: 'text/csv' }));
  return { id: job_id, job: await ended(job_id) };
};

async function refusedRows(job_id: number): Promise<Checked['bad']> {
  const answer = await fetch(`/api/v1/deliveries/-/emails/import/${job_id}/errorinfo/download`, { credentials: 'same-origin', cache: 'no-store' });
  if (!answer.ok) return [];
  const rows = rowsOf(await textIn(await answer.arrayBuffer()), ',', BAD_TOLD + 1);
  // Its header names the columns.
  return rows.slice(1).map(([reason = '', ...row]) => ({ reason, row: row.join(', ') }));
}

/** Reads a list without taking any of it. */
export async function check(id: number, file: File): Promise<Checked> {
  const { id: job_id, job } = await stream(id, file, { dry_run: true });
  const { list } = await api.get('/deliveries/-/emails/import/{job_id}/findings', { path: { job_id } });
  const piece = await file.slice(0, HEAD_OCTETS).arrayBuffer();
  const text = new TextDecoder(ENCODINGS[list?.encoding ?? ''] ?? 'utf-8').decode(piece);
  const isRefused = (job.failed_count ?? 0) > 0 || job.status === 'FAILED';
  return {
    job, list, head: headOf(text, SEPARATORS[list?.separator ?? ''] ?? ',', file.size <= HEAD_OCTETS),
    bad: isRefused ? await refusedRows(job_id) : [],
    badFile: isRefused ? `/api/v1/deliveries/-/emails/import/${job_id}/errorinfo/download` : null,
  };
}

/** Takes the list in place of whatever the draft has: taken twice, each of its recipients would get two mails. */
export async function take(id: number, file: File): Promise<Job> {
  await api.put('/deliveries/bulk/update/{delivery_id}', { path: { delivery_id: id }, body: { to: [] } });
  return (await stream(id, file, {})).job;
}

export const shownCode = (key: string): string => (key.startsWith('{{') ? `{{${nameOfCode(key)}}}` : key);

/** Whether a time of Japan's clock, `2027-04-01T09:00`, is within the draft's quiet hours. */
export function isQuiet(draft: Draft, at: string): boolean {
  const { quietFrom: from, quietUntil: until } = draft;
  const time = at.slice(11, 16);
  if (!from || !until || !time || from === until) return false;
  return from < until ? time >= from && time < until : time >= from || time < until;
}
