import { expect, it } from 'vitest';
import { en } from '../messages/en';
import { attentionOf, type Seen, sumOf } from './attention';

const cause = (state: string, mails: number, share: number | undefined, action = 'Mend it.') => ({ site: 'docomo', state, cause: state, mails, share, meaning: 'Why.', action, whose: '' });
const day = (causes: NonNullable<Seen['day']>['causes']): Seen['day'] => ({ text: '', more: false, sites: [{ site: 'docomo', ended: 100, delivered: 90 }, { site: '', ended: 5, delivered: 5 }], causes });
const limit = (used: number) => ({ limit: 'mails_per_day' as const, most: 100, used, remaining: Math.max(0, 100 - used), resets_in: 60 });

it('nothing seen, nothing wrong: nothing needs anybody', () => {
  expect(attentionOf({}, en, 'en')).toEqual([]);
  expect(attentionOf({ day: day([]), rates: [], limits: [limit(79)], going: [], domains: [{ domain: 'example.jp', state: 'proven', faults: [] }], hooks: [] }, en, 'en')).toEqual([]);
});
it.each([
  [cause('bounced', 9, 0.5), 0],
  [cause('bounced', 500, 0.01), 0],
  [cause('bounced', 500, 0.5, ''), 0],
  [cause('bounced', 500, 0.5), 1],
  [cause('deferred', 500, undefined), 1],
])('a cause is told where it weighs and somebody can do something (%#)', (one, told) => {
  expect(attentionOf({ day: day([one]) }, en, 'en')).toHaveLength(told);
});
it('the gravest stand first, and lead to where they are mended', () => {
  const found = attentionOf({
    limits: [limit(80), { ...limit(100), limit: 'mails_per_month' }],
    domains: [{ domain: 'example.jp', state: 'proven', faults: [{ outcome: 'warning', sentence: 'p=none', sentence_ja: 'p=none です' }, { outcome: 'fail', sentence: 'no DKIM', sentence_ja: 'DKIM がありません' }] }, { domain: 'old.example.jp', state: 'lapsed', faults: [] }],
  }, en, 'ja');
  expect(found.map(({ tone, href }) => [tone, href])).toEqual([['bad', '/usage'], ['bad', '/domains/example.jp'], ['bad', '/domains/old.example.jp'], ['warn', '/usage']]);
  expect(found[1]?.why).toBe('DKIM がありません');
});
it('the day is summed of its receivers, and by what causes tell', () => {
  expect(sumOf(day([cause('bounced', 7, 0.07), cause('bounced', 3, 0.03), cause('deferred', 40, undefined)])!)).toEqual({ ended: 105, delivered: 95, byState: { bounced: 10, deferred: 40 } });
});
it('what waits for the approval of who looks is told, and nobody else is asked', () => {
  const approval = (delivery_id: number, may_approve: boolean) => ({ delivery_id, subject: 'Autumn', recipients: 3, state: 'waiting' as const, revision: 1, asked_by: { kind: 'person' as const, name: 'a@example.jp' }, asked_at: '2027-04-01T09:00:00+09:00', lapses_at: '2027-04-02T09:00:00+09:00', reservation_time: null, decided_by: null, decided_at: null, reason: '', may_approve, why_not: may_approve ? '' as const : 'own' as const });
  const found = attentionOf({ approvals: [approval(7, true), approval(8, false)] }, en, 'en');
  expect(found.map(({ href, tone }) => [href, tone])).toEqual([['/deliveries/7', 'warn']]);
  expect(found[0]?.title).toContain('Autumn');
  const many = attentionOf({ approvals: Array.from({ length: 8 }, (_, i) => approval(i + 1, true)) }, en, 'en');
  expect(many).toHaveLength(6);
  expect(many.at(-1)?.title).toBe('3 more bulk mails wait for your approval');
});
