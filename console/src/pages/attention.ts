// What needs somebody, of what was seen: the gravest first, each with its cause and the place of the next step.
import type { Answer } from '../api/client';
import type { components } from '../api/schema';
import { exact, instantOf } from '../design/format';
import type { Messages } from '../messages/en';

type Schemas = components['schemas'];
type Fault = NonNullable<Answer<'/domains/{domain}/history', 'get'>['faults']>[number];
export interface DomainHealth {
  domain: string;
  state: string;
  outcome?: string;
  checked?: string;
  faults: Fault[];
}
export interface Seen {
  day?: Schemas['ExplainedCauses'];
  rates?: Schemas['Rate'][];
  limits?: Schemas['UsageDays']['limits'];
  approvals?: Schemas['Approval'][];
  going?: { delivery_id: number; subject: string; progress: Schemas['Progress'] }[];
  domains?: DomainHealth[];
  hooks?: Schemas['Webhook'][];
}
export interface Concern {
  key: string;
  tone: 'bad' | 'warn';
  title: string;
  why?: string;
  next?: string;
  href: string;
}

// A cause is worth a look where it stopped so many mails and such a part of a receiver's.
const CAUSE_MAILS = 10;
const CAUSE_SHARE = 0.03;
const CAUSES_TOLD = 3;
const LIMIT_NEAR = 0.8;
// Of those that wait; what lapses first is told.
const APPROVALS_TOLD = 5;

/** The last day's ends; of states only what the causes told say. */
export function sumOf(day: Schemas['ExplainedCauses']) {
  const byState: Record<string, number> = {};
  for (const { state, mails } of day.causes) byState[state] = (byState[state] ?? 0) + mails;
  return {
    ended: day.sites.reduce((sum, site) => sum + site.ended, 0),
    delivered: day.sites.reduce((sum, site) => sum + site.delivered, 0),
    byState,
  };
}

export function attentionOf(seen: Seen, m: Messages, language: string): Concern[] {
  const found: Concern[] = [];
  const add = (concern: Concern) => found.push(concern);
  const say = (fault: Fault) => (language === 'ja' ? fault.sentence_ja : fault.sentence) ?? fault.sentence ?? '';

  const mine = (seen.approvals ?? []).filter(({ may_approve }) => may_approve);
  for (const approval of mine.slice(0, APPROVALS_TOLD)) {
    const instant = instantOf(approval.lapses_at);
    add({
      key: `approval:${approval.delivery_id}`, tone: 'warn', title: m.approval.needed(approval.subject || m.common.noSubject),
      why: m.approval.until(instant ? exact(instant) : approval.lapses_at), href: `/deliveries/${approval.delivery_id}`,
    });
  }
  if (mine.length > APPROVALS_TOLD) add({ key: 'approvals', tone: 'warn', title: m.approval.neededMore(mine.length - APPROVALS_TOLD), href: '/deliveries?type=BULK' });
  for (const rate of seen.rates ?? [])
    if (rate.level !== 'calm')
      add({
        key: `rate:${rate.scope}:${rate.name}`, tone: rate.level === 'paused' ? 'bad' : 'warn',
        title: rate.level === 'paused' ? m.overview.held(rate.name) : m.overview.warned(rate.name), why: rate.because, next: m.overview.heldNext, href: '/deliveries?type=BULK',
      });
  for (const { delivery_id, subject, progress } of seen.going ?? []) {
    const title = subject || m.common.noSubject;
    const href = `/deliveries/${delivery_id}`;
    for (const hold of progress.holds)
      add({ key: `hold:${delivery_id}:${hold.receiver}`, tone: 'bad', title: m.overview.deliveryHeld(title), why: [hold.receiver, hold.because].filter(Boolean).join(': '), next: m.overview.heldNext, href });
    if (progress.expected_to_expire) add({ key: `expire:${delivery_id}`, tone: 'warn', title, why: m.deliveries.willExpire(progress.expected_to_expire.mails), href });
  }
  for (const limit of seen.limits ?? [])
    if (limit.used >= LIMIT_NEAR * limit.most)
      add({
        key: `limit:${limit.limit}`, tone: limit.remaining === 0 ? 'bad' : 'warn', title: limit.remaining === 0 ? m.overview.limitReached(m.usage.limit[limit.limit] ?? limit.limit) : m.overview.limitNear(m.usage.limit[limit.limit] ?? limit.limit),
        why: `${m.usage.used(limit.used, limit.most)} · ${m.usage.left(limit.remaining)}`, next: m.overview.limitNext, href: '/usage',
      });
  for (const { domain, state, faults } of seen.domains ?? []) {
    const href = `/domains/${encodeURIComponent(domain)}`;
    const worst = faults.find(({ outcome }) => outcome === 'fail') ?? faults[0];
    if (state === 'lapsed') add({ key: `domain:${domain}`, tone: 'bad', title: m.overview.domainLapsed(domain), next: m.overview.domainNext, href });
    else if (worst) add({ key: `domain:${domain}`, tone: worst.outcome === 'fail' ? 'bad' : 'warn', title: m.overview.domainIll(domain), why: say(worst), href });
  }
  for (const hook of seen.hooks ?? [])
    if (hook.status === 'failing') add({ key: `hook:${hook.webhook}`, tone: 'warn', title: m.overview.hookFails, why: hook.url, next: m.overview.hookNext, href: `/webhooks/${encodeURIComponent(hook.webhook)}` });
  const causes = (seen.day?.causes ?? []).filter(({ state, mails, share, action }) => action && state !== 'delivered' && mails >= CAUSE_MAILS && (share ?? 1) >= CAUSE_SHARE);
  for (const cause of causes.slice(0, CAUSES_TOLD))
    add({
      key: `cause:${cause.site}:${cause.state}:${cause.cause}`, tone: cause.state === 'deferred' ? 'warn' : 'bad', title: `${cause.site || m.deliveries.others}: ${m.states[cause.state] ?? cause.state} · ${m.deliveries.mails(cause.mails)}`,
      why: cause.meaning, next: cause.action, href: cause.sample ? `/deliveries/${cause.sample.delivery_id}?tab=failures` : '/why',
    });
  return found.sort((a, b) => Number(b.tone === 'bad') - Number(a.tone === 'bad'));
}
