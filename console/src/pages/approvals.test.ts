import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Approval, askedOf, mayWait, waitingAmong } from './approvals';

const approval = (delivery_id: number, state: Approval['state'] = 'waiting'): Approval => ({ delivery_id, subject: 'Autumn', recipients: 3, state, revision: 1, asked_by: { kind: 'person', name: 'a@example.jp' }, asked_at: '2027-04-01T09:00:00+09:00', lapses_at: '2027-04-02T09:00:00+09:00', reservation_time: null, decided_by: null, decided_at: null, reason: '', may_approve: true, why_not: '' });
const row = (delivery_id: number, status = 'RESERVE', delivery_type = 'BULK') => ({ delivery_id, status, delivery_type });
const asked: string[] = [];
let answers: Record<string, unknown> = {};

beforeEach(() => {
  asked.length = 0;
  answers = {};
  vi.stubGlobal('fetch', async (url: string) => {
    const path = url.replace('/api/v1/deliveries', '');
    asked.push(path);
    return path in answers ? Response.json(answers[path]) : Response.json({}, { status: 404 });
  });
});
afterEach(() => vi.unstubAllGlobals());

it('only bulk that is committed and has not begun may wait', () => {
  expect([row(1), row(2, 'WAIT'), row(3, 'SENDING'), row(4, 'EDIT'), row(5, 'WAIT', 'TRANSACTION'), row(6, 'RESERVE', 'SMTP')].filter(mayWait).map(({ delivery_id }) => delivery_id)).toEqual([1, 2]);
});
it('nobody is asked where nothing may wait', async () => {
  expect(await waitingAmong([row(3, 'SENT')])).toEqual(new Map());
  expect(asked).toEqual([]);
});
it('those of the list that wait are found by one request', async () => {
  answers['/approvals'] = { approvals: [approval(1), approval(9)], more: false };
  expect([...(await waitingAmong([row(1), row(2)])).keys()]).toEqual([1]);
  expect(asked).toEqual(['/approvals']);
});
it('where more wait than are listed, the others are asked for, and what does not wait is left out', async () => {
  answers = { '/approvals': { approvals: [approval(1)], more: true }, '/2/approval': approval(2), '/3/approval': approval(3, 'approved') };
  expect([...(await waitingAmong([row(1), row(2), row(3), row(4)])).keys()]).toEqual([1, 2]);
  expect(asked).toEqual(['/approvals', '/2/approval', '/3/approval', '/4/approval']);
});
it('the revision is read before what it is of', async () => {
  answers = { '/1/approval': approval(1), '/1/progress': { pace: { mails: 5, per: 'hour' }, quiet_hours: null } };
  expect(await askedOf(1)).toEqual({ approval: approval(1), pace: { mails: 5, per: 'hour' }, quiet_hours: null });
  expect(asked).toEqual(['/1/approval', '/1/progress']);
  expect(await askedOf(2)).toBeNull();
});
