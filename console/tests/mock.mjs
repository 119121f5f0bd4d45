// A server that answers as the engine's door does (src/console), with data of its own: for looking at pages and
// for what is hard to bring about with a real engine (an ended sign-in, a refusal, a slow answer).
//   node mock.mjs FOLDER_OF_PAGES [PORT]      prints its address; `as=support,ja` and the like in the query of /mock
import { createServer } from 'node:http';
import { readFileSync, existsSync } from 'node:fs';
import { extname, join } from 'node:path';

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
const MAIL_POLICY = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const SCOPES = { owner: ['send', 'read', 'content', 'suppress', 'admin'], sender: ['send', 'read', 'content', 'suppress'], viewer: ['read'], support: ['read', 'suppress'], operator: ['send', 'read', 'content', 'suppress', 'admin'] };
const jst = (minutes) => new Date(Date.now() - minutes * 60_000 + 9 * 3_600_000).toISOString().slice(0, 19) + '+09:00';
const HARM = '<img src=x onerror="document.title=\'pwned\'"><script>document.title="pwned"</script>';

/** A zip of one file that is stored as it is. */
function zipOf(text) {
  const file = Buffer.from(text);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt32LE(file.length, 20);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(local.length + file.length, 16);
  return Buffer.concat([local, file, central, end]);
}

export function mock(folder) {
  const state = { signedIn: false, half: false, role: 'owner', language: 'ja', factor: false, firstRun: false, empty: false, broken: false, must: false, rotations: 0, changes: [], done: [], removed: new Set() };
  const token = () => `token-${state.rotations}`;
  const acting = () => (state.role === 'operator' ? (state.acting ?? null) : 'shop');
  const as = () => `${state.person ?? 1}/${acting() ?? ''}`;
  const session = () => state.signedIn
    ? { signed_in: true, half: state.half, must_set_up_second_factor: state.must, token: token(), version: '0.1.0',
        ...(state.half ? {} : { person: { id: state.person ?? 1, name: '山田 花子', email: 'hanako@example.jp', role: state.role, language: state.language }, account: acting(), scopes: SCOPES[state.role] }),
        second_factor: { on: state.factor, required: false, recovery_left: state.factor ? 8 : 0 } }
    : { signed_in: false, first_run: state.firstRun, version: '0.1.0' };

  const deliveries = () => state.empty ? [] : [
    ...(state.committed ? [{ delivery_id: 1044, delivery_type: 'BULK', status: state.committed.reservation_time ? 'RESERVE' : state.waits ? 'WAIT' : 'SENDING', subject: state.draft.subject, from: state.draft.from, delivery_time: null, reservation_time: state.committed.reservation_time ?? null }] : []),
    { delivery_id: 1042, delivery_type: 'BULK', status: 'SENDING', subject: '【重要】年末年始の営業日と配送スケジュールのお知らせ（12月1日更新）', from: { email: 'news@example.jp', name: 'サンプル商店' }, delivery_time: jst(12), reservation_time: null },
    { delivery_id: 1041, delivery_type: 'TRANSACTION', status: 'SENT', subject: 'ご注文の確認（注文番号 4711）', from: { email: 'order@example.jp', name: 'サンプル商店' }, delivery_time: jst(31), reservation_time: null },
    { delivery_id: 1040, delivery_type: 'BULK', status: 'RESERVE', subject: 'Winter sale: 20 % off everything', from: { email: 'news@example.jp', name: '' }, delivery_time: null, reservation_time: jst(-900) },
    { delivery_id: 1039, delivery_type: 'SMTP', status: 'SENT', subject: HARM, from: { email: 'app@example.jp', name: HARM }, delivery_time: jst(600), reservation_time: null },
    { delivery_id: 1038, delivery_type: 'TRANSACTION', status: 'WAIT', subject: 'Your one-time code', from: { email: 'auth@example.jp', name: 'Example' }, delivery_time: jst(2000), reservation_time: null },
    { delivery_id: 1037, delivery_type: 'BULK', status: 'SENT', subject: '__name__ 様へのお知らせ', from: { email: 'news@example.jp', name: '' }, delivery_time: jst(90_000), reservation_time: null },
    { delivery_id: 1046, delivery_type: 'BULK', status: 'WAIT', subject: '春のお知らせ', from: { email: 'news@example.jp', name: '' }, delivery_time: null, reservation_time: null },
    { delivery_id: 1047, delivery_type: 'BULK', status: 'FAILED', subject: HARM, from: { email: 'news@example.jp', name: '' }, delivery_time: null, reservation_time: null },
    ...Array.from({ length: 42 }, (_, i) => ({ delivery_id: 1036 - i, delivery_type: 'TRANSACTION', status: 'SENT', subject: `ご注文の確認（注文番号 ${4710 - i}）`, from: { email: 'order@example.jp', name: 'サンプル商店' }, delivery_time: jst(91_000 + i * 37), reservation_time: null })),
  ].map((each) => (state.decided?.[each.delivery_id]?.state === 'sent_back' ? { ...each, status: 'EDIT', reservation_time: null } : each)).map((each) => {
    const [total, sent, hard] = { 1042: [20_000, 8_201, 260], 1039: [1, 0, 1], 1037: [500, 20, 3] }[each.delivery_id] ?? [1, each.status === 'SENT' ? 1 : 0, 0];
    const state = { 1037: 'stopped' }[each.delivery_id] ?? each.status.toLowerCase();
    return { state, to: each.delivery_type === 'BULK' ? null : 'hanako@example.jp', total_count: total, sent_count: sent, hard_error_count: hard, soft_error_count: 0, drop_count: 0, ...each, created_time: jst(2_000), updated_time: jst(10) };
  });
  const progress = (id) => ({ delivery_id: id, state: state.paused ? 'paused' : deliveries().find((each) => each.delivery_id === id && each.delivery_type === 'BULK')?.state ?? 'sent', total: 20_000, pending: id === 1042 ? 11_200 : 0, deferred: id === 1042 ? 312 : 0, delivered: id === 1042 ? 8_201 : 19_180, bounced: id === 1042 ? 241 : 820, dropped: id === 1042 ? 46 : 0, expired: 0, cancelled: 0, unknown: 0,
    started: approval(id) ? null : jst(12), expires: jst(-3000), finished: id === 1042 || approval(id) ? null : jst(2), canary_until: null, holds: [], pace: { mails: state.revision ? 600 : 1200, per: 'minute' }, quiet_hours: { from: '21:00', until: '08:00', time_zone: 'Asia/Tokyo' }, waits: null, expected_to_expire: null, approval: approval(id)?.state ?? null });
  // What was asked for by somebody else, by oneself, what nobody approved in time, and what was just written here.
  const approvals = () => (state.empty ? [] : [
    { delivery_id: 1040, subject: 'Winter sale: 20 % off everything', recipients: 20_000, revision: state.revision ?? 2, asked_by: { kind: 'person', name: 'taro@example.jp' }, lapses_at: jst(-900), reservation_time: jst(-900) },
    { delivery_id: 1046, subject: '春のお知らせ', recipients: 320, own: true, asked_by: { kind: 'person', name: 'hanako@example.jp' }, lapses_at: jst(-9_000), reservation_time: null },
    { delivery_id: 1047, subject: HARM, recipients: 12, state: 'lapsed', asked_by: { kind: 'key', name: '7' }, lapses_at: jst(3_000), reservation_time: null },
    ...(state.committed && state.waits ? [{ delivery_id: 1044, subject: state.draft.subject, recipients: 3, own: true, asked_by: { kind: 'person', name: 'hanako@example.jp' }, lapses_at: state.committed.reservation_time ?? jst(-10_080), reservation_time: state.committed.reservation_time ?? null }] : []),
  ]).map(({ own, ...each }) => {
    const decided = state.decided?.[each.delivery_id];
    const now = decided?.state ?? each.state ?? 'waiting';
    const why_not = now !== 'waiting' ? '' : !SCOPES[state.role].includes('send') ? 'no_right' : own ? 'own' : '';
    return { revision: 1, asked_at: jst(40), decided_by: null, decided_at: null, reason: '', ...each, ...decided, ...(decided ? { decided_by: { kind: 'person', name: 'hanako@example.jp' }, decided_at: jst(0) } : {}), state: now, may_approve: now === 'waiting' && !why_not, why_not };
  });
  const approval = (id) => approvals().find((each) => each.delivery_id === id);
  const watched = (id) => ({ ...progress(id), time: jst(0), speed: { mails_per_minute: 1184.2, over_seconds: 60 }, seconds_left: 720, sites: [
    { site: 'docomo', done: 4000, remaining: 3600, mails_per_minute: 300, seconds_left: 720, told_by: 'speed', rests_until: null, allowed_per_minute: 310, limit_per_minute: 600, pace_reason: 'too_fast' }, { site: 'gmail', done: 2100, remaining: 4800, mails_per_minute: 640.5, seconds_left: 450, told_by: 'speed', rests_until: null, allowed_per_minute: null, limit_per_minute: null, pace_reason: null }, { site: 'au', done: 900, remaining: 1900, mails_per_minute: 0, seconds_left: null, told_by: null, rests_until: jst(-4), allowed_per_minute: null, limit_per_minute: null, pace_reason: null }, { site: null, done: 1500, remaining: 1212, mails_per_minute: 244, seconds_left: 298, told_by: 'speed', rests_until: null, allowed_per_minute: null, limit_per_minute: null, pace_reason: null }] });
  const mails = (ja) => [
    { delivery_id: 1041, email_id: 71, subject: 'ご注文の確認（注文番号 4711）', from: 'サンプル商店 <order@example.jp>', reference: '4711', state: 'deferred', next: ja ? '12 分後に再送します。受け取られなければ 11 月 3 日 10:20 まで試します。' : 'It is tried again in 12 minutes, and until 3 November 10:20 if it is not taken.', for_recipient: ja ? 'お問い合わせありがとうございます。\nご注文の確認メールは、ご利用のメールサービスが一時的に受け取れない状態のため、まだお届けできていません。\n\n自動で再送しますので、しばらくお待ちください。' : 'Thank you for asking.\nYour mail provider could not take our mail just now. It is sent again by itself; please wait a little.', attempts: [
      { number: 1, at: jst(31), is_attempt: true, duration_ms: 1240, host: 'mx1.docomo.example', ip: '192.0.2.25', source: 'main', tls: 'verified', tls_detail: '', state: 'deferred', stage: 'rcpt', cause: 'greylisted', code: 451, answer: '451 4.7.1 Greylisting in action, please come back later', meaning: ja ? '受信側は、初めて見る送信元からのメールを一度断り、再送されるかを見ています（グレイリスト）。' : 'The receiver puts off mail from senders it has not seen before, to see whether they come again (greylisting).', action: '' },
      { number: 2, at: jst(16), state: 'deferred', stage: 'data', cause: 'mailbox_full', code: 452, answer: '452 4.2.2 The recipient mailbox is over quota' + HARM, meaning: ja ? '受信者のメールボックスがいっぱいです。' : "The recipient's mailbox is full.", action: ja ? '受信者に不要なメールの削除を依頼してください。' : 'Ask the recipient to delete some mail.' }] },
    { delivery_id: 1036, email_id: 64, subject: HARM, from: 'order@example.jp', state: 'delivered', next: ja ? '受信側のサーバーが受け取りました。これ以上することはありません。' : "The receiver's server has taken it. There is nothing left to do.", for_recipient: 'It was handed over to your mail provider. Please look into the spam folder.', attempts: [{ number: 1, at: jst(91_000), state: 'delivered', stage: 'data', cause: '', code: 250, answer: '250 2.0.0 OK queued as 4F2A', meaning: ja ? '受信側のサーバーが受け取りました（開封されたとは限りません）。' : 'Taken by the receiving server; whether it was read is not known.', action: '' }] },
  ];
  const domains = () => state.empty ? [] : [{ account: 'shop', domain: 'example.jp', state: 'proven', vouched: false }, { account: 'shop', domain: 'mail.example.com', state: 'unproven', vouched: false }].map((each) => ({ ...each, consents: [], dns_name: `_todoku-challenge.${each.domain}`, dns_record: 'todoku-domain-verification=5f0c3b1a9d2e4c7f8a6b0d1e2f3a4b5c', zone_entry: `_todoku-challenge.${each.domain}. 300 IN TXT "todoku-domain-verification=5f0c3b1a9d2e4c7f8a6b0d1e2f3a4b5c"` }));
  const suppressions = () => (state.empty ? [] : [
    { email: 'taro@example.com', of: 'account', reason: 'complaint', scope: 'advertisements', expires_time: null, cause: { response_code: '', response_message: 'abuse report', time: jst(500) } },
    { email: 'nobody@example.com', of: 'account', reason: 'hard_error', scope: 'all', expires_time: jst(-20_000), cause: { response_code: '550', response_message: '5.1.1 no such user', time: jst(80) } },
    { email: 'jiro@example.jp', of: 'account', reason: 'unsubscribe', scope: 'list', list_id: 'news', expires_time: null, note: '' },
    { email: 'blocked.example', of: 'installation', reason: 'manual', scope: 'all', expires_time: null, note: HARM },
    { email: 'saburo@example.jp', of: 'account', reason: 'manual', scope: 'all', expires_time: null, note: '電話で依頼（#2231）' },
  ]).filter(({ email }) => !state.removed.has(email)).map((each) => ({ ...each, created_time: jst(4_000), updated_time: jst(4_000) }));
  const record = (name, type, value, state, purpose, purpose_ja, more) => ({ name, type, value, zone_entry: `${name}. IN ${type} "${value}"`, state, purpose, purpose_ja, optional: false, later: false, elsewhere: false, ...more });
  const records = (domain) => {
    const seen = domain === 'example.jp', has_keys = seen || Boolean(state.keysMade);
    const key = (selector, value) => record(`${selector}._domainkey.${domain}`, 'TXT', value, seen ? 'published' : 'not_checked', 'DKIM: the key that receivers verify signatures with', 'DKIM: 受信側が署名の検証に使う鍵');
    return { account: 'shop', domain, ...(seen ? { checked: jst(30) } : {}), has_keys, unknown_sources: [], records: [
      ...(has_keys ? [key('r20261101', `v=DKIM1; k=rsa; p=${'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A'.repeat(12)}`), key('e20261101', 'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=')] : []),
      record(domain, 'TXT', 'v=spf1 include:_spf.example.net ip4:192.0.2.10 ~all', seen ? 'different' : 'not_checked', 'SPF: who may send as the domain', 'SPF: このドメインで送信できるサーバー'),
      record(`_dmarc.${domain}`, 'TXT', HARM, seen ? 'missing' : 'not_checked', 'DMARC: what receivers do with mail that fails', 'DMARC: 認証に失敗したメールの扱い'),
      record(`_smtp._tls.${domain}`, 'TXT', 'v=TLSRPTv1; rua=mailto:tls@example.com', seen ? 'missing' : 'not_checked', 'TLS-RPT: reports of failed encryption', 'TLS-RPT: 暗号化の失敗の報告', { optional: true }),
    ] };
  };
  const webhook = { webhook: 'wh_1', url: 'https://hooks.example.jp/todoku', form: 'standard', status: 'active', failing_since: null, kinds: ['recipient.sent', 'recipient.hard_error'], tags: [], domains: [], purposes: [], insert_codes: false, single: false, refused: 3, replays: 0, public_key: null, old_secrets_until: [], created_time: jst(9_000), updated_time: jst(9_000) };
  const callOf = (status, minutes) => ({ time: jst(minutes), id: 'e1', type: 'recipient.sent', events: 4, request: '{"type":"recipient.sent"}', status, answer: status === 200 ? 'ok' : HARM, failure: status === 200 ? null : `the answer was ${status}`, took_ms: 41 });
  const html = `<html><head><style>h1{color:#b0331c;font-family:sans-serif;background:url(/api/v1/stolen-by-a-sheet)} p{font-family:sans-serif}</style></head><body onload="document.title='pwned'"><div style="padding:24px;background:#f6f1ea url(/api/v1/stolen-by-a-style)"><h1>年末のごあいさつ</h1><p style="color:#333">山田 様、いつもありがとうございます。<a href="https://shop.example.jp/">お店を見る</a></p>${HARM}</div></body></html>`;
  const preview = { delivery_id: 1042, email: 'hanako@example.jp', is_recipient: true, mail_from: 'b@example.jp', size: 4_211, subject: '年末のごあいさつ', headers: [{ name: 'From', value: 'news@example.jp' }, { name: 'Subject', value: '年末のごあいさつ' }], text_part: '山田 様\n\nいつもありがとうございます。', html_part: html, charset: 'utf-8', files: [], not_read_because: null, charset_fell_back: false, missing_codes: [] };
  const people = () => [{ id: 1, name: '山田 花子', email: 'hanako@example.jp', role: 'owner', language: 'ja', suspended: false, confirmed: jst(90_000), seen: jst(1), second_factor: true, invited: false }, { id: 2, name: '佐藤 太郎', email: 'taro@example.jp', role: 'support', language: 'ja', suspended: false, confirmed: jst(80_000), seen: jst(4_000), second_factor: false, invited: false }, { id: 3, name: HARM, email: 'new@example.jp', role: 'viewer', language: 'en', suspended: false, confirmed: null, seen: null, second_factor: false, invited: true }, { id: 4, name: 'By a printed link', email: 'printed@example.jp', role: 'viewer', language: 'en', suspended: false, confirmed: null, seen: jst(70_000), second_factor: false, invited: false }].filter(({ id }) => !state.removed.has(id));

  const lastDay = (ja) => ({ text: '', more: false, sites: [{ site: 'gmail', ended: 9_410, delivered: 9_388 }, { site: 'docomo', ended: 6_204, delivered: 5_384 }, { site: 'au', ended: 3_120, delivered: 3_111 }, { site: 'icloud', ended: 2_015, delivered: 2_015 }, { site: 'yahoo-jp', ended: 1_890, delivered: 1_871 }, { site: '', ended: 412, delivered: 398 }], causes: [
    { site: 'docomo', state: 'bounced', cause: 'sender_address', mails: 820, share: 0.132, meaning: ja ? 'docomo は送信ドメインを受け付けません。' : "docomo does not accept the sender's domain.", action: ja ? 'DNS に不足しているレコードを公開してください。' : 'Publish the missing records in the DNS.', whose: '', sample: { delivery_id: 1042, email_id: 137, email: 'person2@example.com', at: jst(9), answer: '550 5.7.1' } },
    { site: 'gmail', state: 'bounced', cause: 'unknown_user', mails: 22, share: 0.002, meaning: ja ? '宛先が存在しません。' : 'There is no such mailbox.', action: ja ? 'リストから外してください。' : 'Take it off the list.', whose: '' },
    { site: 'au', state: 'deferred', cause: 'throttled', mails: 1_240, meaning: ja ? 'au は送信が速すぎるとして、あとで送るよう求めています。' : 'au asks for slower sending.', action: '', whose: '' }] });

  const finding = (code, outcome, ja) => ({ code, kind: 'law', outcome, breaks_bulk_rules: false, subject: 'text_part', sentence: code === 'insert_code_braces' ? (ja ? '{{name}} は差し込みコードではありません。' : '{{name}} is no code here.') : (ja ? '本文に送信者の住所がありません。' : 'text_part has no postal address of the sender.'), why: ja ? '特定電子メール法（第 4 条）が広告に表示を求めています。' : 'The Act on Regulation of Transmission of Specified Electronic Mail (Article 4) wants it in advertisements.', minded_by: [], found: '', expected: '', advice: ja ? '住所を本文に加えるか、記載したページへのリンクを示してください。' : 'Add a line with the address, or link the page that has it.' });

  const keys = () => (state.empty ? [] : [
    { id: 7, label: '注文サーバー（本番）', created: jst(40_000), scopes: 'send,read', networks: ['192.0.2.0/24'], expires: jst(-120_000), expired: false },
    { id: 6, label: HARM, created: jst(90_000), scopes: 'read', networks: [], expired: false },
    { id: 3, label: '', created: jst(400_000), scopes: 'send,read,content,suppress', networks: [], revoked: jst(9_000), expired: false },
  ]).filter(({ id }) => !state.removed.has(`key ${id}`));
  const relayUsers = () => (state.empty ? [] : [
    { name: 'app@shop', traffic: 'transactional', networks: [], from_address: 'order@example.jp', created: jst(50_000), expired: false },
    { name: 'printer-2f', traffic: 'automatic', networks: ['192.0.2.0/28'], from_address: '', created: jst(90_000), expired: false, held: jst(30), held_because: HARM },
  ]).filter(({ name }) => !state.removed.has(`user ${name}`));
  const lane = (site, source, more) => ({ site, source, waiting: 0, connections: 2, connections_wanted: 2, connections_max: 10, messages_per_second: 5, messages_per_second_max: 20, throttled_at: null, reason: 'growing', since: jst(12), latency_ms: 140, rests_until: null, eases_at: null, noted: jst(0), ...more });
  const lanes = () => (state.empty ? [] : [
    lane('docomo', 'mail1', { waiting: 3_612, messages_per_second: 4.8, throttled_at: 5.2, reason: 'too_fast', eases_at: jst(-9) }), lane('gmail', 'mail1', { waiting: 4_820, connections: 8, messages_per_second: 10.7, reason: 'near_limit' }),
    lane('au', 'mail2', { waiting: 1_902, connections: 0, messages_per_second: 0.4, reason: 'growing', rests_until: jst(-4) }), lane('microsoft', 'mail2', { reason: 'suspended', eases_at: jst(-50) }), lane(HARM, 'mail2', { reason: 'of a newer engine', messages_per_second_max: null }),
  ]);
  const engine = () => ({ version: '0.1.0', data_directory: '/var/lib/todoku', running: true, draining: false, started: jst(9_000), roles: ['api', 'scheduler'], missing_roles: state.empty ? [] : ['events'], elsewhere: [], differences: [], hold: [], queues: [{ class: 'transactional', waiting: 12, earliest_due: jst(-1), set_aside: 0 }, { class: 'bulk', waiting: 11_512, earliest_due: jst(0), set_aside: state.empty ? 0 : 2 }], ...(state.empty ? {} : { reserved: { deliveries: 1, recipients: 20_000, first: jst(-900), more: false } }),
    held_credentials: state.empty || state.removed.has('held') ? [] : [{ account: 'shop', name: 'printer-2f', held: jst(30), held_because: HARM }], more_held: false, suspended: state.empty ? [] : [{ name: 'magazine', deliveries: 1, recipients: 120, in_hand: 0, more: false }], more_suspended: false });
  const nodes = () => [{ key: 1, node: 'mail1', roles: 'api,scheduler', host: 'mail1.example.jp', version: '0.1.0', entered: jst(9_000), state: 'alive', lease_left_ms: 12_000, batches: 4, recipients: 1_800, leads: true, sources: ['mail1'] }, { key: 2, node: 'mail2', roles: 'courier', host: 'mail2.example.jp', version: '0.1.0', entered: jst(9_000), state: 'lapsed', lease_left_ms: -2_000, batches: 1, recipients: 90, leads: false, sources: ['mail2'] }];
  const warmUp = { first_day: '2026-11-20', today: '2026-11-30', step: 4, steps: 7, volumes: [50, 200, 500, 1_000, 2_000, 5_000, 10_000], waits_for_volume: false, overflow: 'pool', volume: 1_000, taken: 640, left: 360, receivers: [{ receiver: 'gmail', volume: 500, taken: 410, left: 90 }], days: [{ day: '2026-11-29', taken: 500 }] };
  const sources = () => (state.empty ? [] : [{ name: 'mail1', traffic: 'any', via: '', state: 'no_plan', warm_up: null }, { name: 'mail2', traffic: 'bulk', via: 'smtp.example.com', state: 'warming_up', warm_up: warmUp }]);
  const stuckMails = () => (state.empty ? [] : [{ since: jst(70), since_text: '', account: 'shop', delivery_id: 1042, email_id: 71, address: 'taro@example.com' }, { since: jst(60), since_text: '', account: 'shop', delivery_id: 1042, email_id: 72, address: HARM }]).filter(({ email_id }) => !state.removed.has(`stuck ${email_id}`));
  const account = (name, more) => ({ name, weight: 1, suspended: false, text_from_html: true, open_tracking: true, preflight: 'warn', sandbox: false, allowed_recipients: [], created: jst(90_000), requests_per_minute: 0, mails_per_minute: 0, mails_per_day: 0, mails_per_month: 0, keys: 2, ...more });
  const accounts = () => [account('shop', { mails_per_day: 50_000 }), account('magazine', { suspended: !state.removed.has('suspended magazine'), weight: 5 }), ...(state.added ?? []).map((name) => account(name, { keys: 0 }))];
  function operators(method, path, query, body) {
    if (state.role !== 'operator') return refuse(403, 'this is for operators.');
    if (path === 'operations/status') return { body: engine() };
    if (path === 'operations/nodes') return { body: { nodes: nodes() } };
    if (path === 'operations/lanes') return { body: { lanes: lanes().filter((each) => (!query.get('site') || each.site === query.get('site')) && (!query.get('source') || each.source === query.get('source'))) } };
    if (path === 'operations/sources') return { body: { sources: sources() } };
    if (path === 'operations/stuck') return { body: { mails: stuckMails(), more: false } };
    if (method === 'POST' && /^operations\/stuck\//.test(path)) { state.removed.add(`stuck ${path.split('/')[3]}`); return { status: 204 }; }
    if (method === 'POST' && /^operations\/held\//.test(path)) { state.removed.add('held'); return { status: 204 }; }
    if (method === 'POST' && path === 'accounts') { if (body.name === 'shop') return refuse(409, 'there is an account shop already.'); state.added = [...(state.added ?? []), body.name]; return { status: 201, body: account(body.name, { keys: undefined }) }; }
    if (method === 'PATCH' && path.startsWith('accounts/')) { state.removed[body.suspended === false ? 'add' : 'delete'](`suspended ${path.split('/')[1]}`); return { body: { ...account(path.split('/')[1], body), deliveries: 0, recipients: 0, in_hand: 0, more: false } }; }
    return refuse(404, 'no data found.');
  }

  const refuse = (status, text, more = {}) => ({ status, body: { error_messages: { main: [text] } }, headers: more });
  function door(method, path, query, body, ja) {
    const key = `${method} ${path}`;
    if (key === 'GET session') return { body: session() };
    if (key === 'POST session') {
      if (body.password === 'slow down') return refuse(429, 'too many tries.', { 'Retry-After': '30' });
      if (body.password !== 'correct horse battery') return refuse(401, 'address or password is wrong.');
      Object.assign(state, { signedIn: true, half: state.factor, rotations: state.rotations + 1 });
      return { body: session() };
    }
    if (key === 'POST session/second-factor') {
      if (body.code !== '123456' && body.recovery_code !== 'abcd-efgh') return refuse(401, 'this code is wrong, or was used already.');
      Object.assign(state, { half: false, rotations: state.rotations + 1 });
      return { body: session() };
    }
    if (key === 'POST resets') return { status: 202 };
    if (key === 'POST links/look') return body.token === 'good' ? { body: { purpose: 'invitation', email: 'new@example.jp', name: '', account: 'shop' } } : body.token === 'first' ? { body: { purpose: 'first_operator' } } : refuse(404, 'this link is over.');
    if (key === 'POST links/use') { Object.assign(state, { signedIn: true, rotations: state.rotations + 1 }); return { body: session() }; }
    if (!state.signedIn) return refuse(401, 'sign in first.');
    if (key === 'DELETE session') { state.signedIn = false; delete state.texts; return { status: 204 }; }
    if (key === 'GET sign-ins') return { body: { sign_ins: [{ id: 1, created: jst(60), used: jst(0), from: '192.0.2.7', agent: 'Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36', current: true }, { id: 2, created: jst(6_000), used: jst(900), from: '2001:db8::7', agent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/604.1', current: false }] } };
    if (key === 'DELETE sign-ins') return { body: { ended: 1 } };
    if (path.startsWith('sign-ins/')) return { status: 204 };
    if (key === 'PUT password') { if (body.current !== 'correct horse battery') return refuse(403, ja ? '現在のパスワードが違います。' : 'the current password is not right.'); state.rotations++; return { body: session() }; }
    if (key === 'PATCH me') { if (body.language) state.language = body.language; return { body: session() }; }
    if (key === 'POST totp') return { body: { secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', uri: 'otpauth://totp/todoku:hanako@example.jp?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=todoku' } };
    if (key === 'POST totp/confirm') { Object.assign(state, { factor: true, must: false, rotations: state.rotations + 1 }); return { body: { recovery_codes: Array.from({ length: 10 }, (_, i) => `k7p${i}-m2xq-9f${i}d`), session: session() } }; }
    if (key === 'DELETE totp') { state.factor = false; return { body: session() }; }
    if (key === 'POST recovery-codes') return { body: { recovery_codes: ['aaaa-bbbb-cccc'] } };
    if (key === 'PUT acting-for') { state.acting = body.account; return { body: session() }; }
    if (path.startsWith('texts/')) {
      const place = path.slice('texts/'.length);
      if (method === 'GET') return state.texts?.[place] ? { body: state.texts[place] } : refuse(404, 'nothing is kept for this place.');
      state.texts = { ...state.texts, [place]: method === 'PUT' ? body : undefined };
      return { status: 204 };
    }
    if (key === 'GET accounts') return query.get('after') ? { body: { accounts: [{ name: 'zine' }], next: null } } : { body: { accounts: accounts(), next: state.manyAccounts ? 'magazine' : null } };
    if (path.startsWith('operations/') || path.startsWith('accounts')) return operators(method, path, query, body);
    if (key === 'GET keys') return { body: { keys: keys() } };
    if (key === 'POST keys') return body.scopes?.length ? { status: 201, body: { ...keys()[0], id: 8, label: body.label, scopes: body.scopes.join(','), login_id: 'shop', ...(body.scopes[0] === 'ses' ? { access_key_id: 'AKTD0123456789ABCDEF', secret_access_key: 's3cr3t' } : { api_key: '0'.repeat(48), bearer_token: 'ZGVtby10b2tlbg==' }) } } : refuse(400, 'scopes is missing.');
    if (/^keys\/\d+\/rotation$/.test(path)) return { status: 201, body: { key: { ...keys()[0], id: 9, login_id: 'shop', api_key: '1'.repeat(48), bearer_token: 'bmV3LXRva2Vu' }, old_expires: jst(-1_440) } };
    if (method === 'DELETE' && path.startsWith('keys/')) { state.removed.add(`key ${path.split('/')[1]}`); return { status: 204 }; }
    if (key === 'GET smtp-credentials') return { body: { credentials: relayUsers() } };
    if (key === 'POST smtp-credentials') return body.name === 'app@shop' ? refuse(409, 'the name is taken.') : { status: 201, body: { ...relayUsers()[0], ...body, password: 'f'.repeat(32) } };
    if (/^smtp-credentials\/[^/]+\/rotation$/.test(path)) return { status: 201, body: { ...relayUsers()[0], password: 'e'.repeat(32) } };
    if (method === 'DELETE' && path.startsWith('smtp-credentials/')) { state.removed.add(`user ${path.split('/')[1]}`); return { status: 204 }; }
    if (key === 'GET people') return { body: { people: people() } };
    if (key === 'POST people') return { status: 201, body: { ...people()[0], ...body, id: 9, mailed: body.email !== 'unmailed@example.jp', command: 'todoku people reset unmailed@example.jp' } };
    if (method === 'DELETE' && path.startsWith('people/')) { state.removed.add(Number(path.split('/')[1])); return { status: 204 }; }
    if (path.startsWith('people/')) return { body: { ...people()[1], ...body } };
    if (key === 'GET rules') return { body: { second_factor: true, networks: ['192.0.2.0/24'], approval: state.approves ?? false } };
    if (key === 'PUT rules' && state.approves && !body.approval && state.role !== 'operator') return refuse(403, ja ? '承認のルールを外せるのはオペレーターだけです。' : 'operators alone take the approval off.');
    if (key === 'PUT rules') { state.approves = body.approval; return { body }; }
    if (key === 'GET audit') return { body: { audit: ['person.sign_in', 'preview', 'person.role support', 'people.add sender: taro@example.jp'].map((action, i) => ({ at: jst((3 - i) * 90), at_text: '', actor: 'person 1 (hanako@example.jp)', action, account: 'shop', ...(i === 1 ? { delivery_id: 1041 } : {}), origin: '192.0.2.7' })) } };
    return refuse(404, 'no data found.');
  }
  function api(method, path, query, body, ja) {
    if (!state.signedIn) return refuse(401, 'sign in first.');
    if (state.broken) return refuse(503, '');
    const id = Number(path.match(/^\/deliveries\/(\d+)/)?.[1]);
    if (path === '/deliveries/all') return { body: { data: deliveries().filter((row) => (!query.get('subject') || row.subject.includes(query.get('subject'))) && (!query.get('status[]') || query.getAll('status[]').includes(row.status)) && (!query.get('stopped') || String(row.state === 'stopped') === query.get('stopped')) && (!query.get('delivery_type[]') || query.getAll('delivery_type[]').includes(row.delivery_type))) } };
    if (path === '/deliveries/bulk/begin' && !body.template && !body.subject) return refuse(400, 'subject is required.');
    if (path === '/deliveries/bulk/begin') { state.draft = body; return { status: 201, body: { delivery_id: 1044 } }; }
    if (path === '/deliveries/bulk/update/1044' && state.lost) { state.lost = false; return refuse(404, 'no data found.'); }
    if (path === '/deliveries/bulk/update/1044') { state.draft = { ...state.draft, ...body }; return { body: { delivery_id: 1044 } }; }
    if (path === '/deliveries/1044/emails/stream') { state.job = { dry: query.get('dry_run') === 'true', ja, polls: 0 }; return { status: 201, body: { job_id: 3 } }; }
    if (/emails\/import\/3$/.test(path)) return { body: state.job.polls++ < 1 ? { percentage: 40, status: 'IMPORTING' } : { percentage: 100, status: 'FINISHED', total_count: 6, success_count: 3, failed_count: 2 } };
    if (/findings$/.test(path)) return { body: { job_id: 3, status: 'FINISHED', dry_run: true, cancelled: false, list: { form: 'csv', encoding: 'shift_jis', encoding_by: 'octets', separator: 'semicolon', check: { rows: 6, recipients: 3, malformed: 2, duplicates: 1, suppressed: 1, domains: [{ domain: 'example.jp', recipients: 3 }], other_domains: { domains: 0, recipients: 0 }, codes: [{ key: '__name__', missing: 1 }] } } } };
    if (/preflight$/.test(path)) return { body: { delivery_id: 1044, outcome: 'warning', mode: 'warn', breaks_bulk_rules: false, coverage: { recipients: 3, domains_asked: 1, smaller_domains_asked: 0, domains_answered: 1, recipients_asked: 3, domains_of_sample: false, sampled: 3, composed: 3 }, findings: [finding('law_address_missing', 'warning', ja), { ...finding('dkim', 'pass', ja) }] } };
    if (/lint$/.test(path)) return { body: { delivery_id: null, outcome: 'warning', coverage: { recipients: 0, sampled: 1, composed: 1 }, findings: /\{\{/.test(body.text_part ?? '') ? [finding('insert_code_braces', 'warning', ja)] : [] } };
    if (path === '/deliveries/transaction') { state.tested = body; return { status: 201, body: { delivery_id: 1045 } }; }
    if (path.startsWith('/deliveries/bulk/commit/1044')) { state.committed = { path, ...body }; return { body: { delivery_id: 1044 }, headers: state.waits ? { 'X-Todoku-Warning': 'the pace leaves some over; waits_for_approval' } : {} }; }
    if (path === '/deliveries/1044' && method === 'DELETE') return { body: { delivery_id: 1044 } };
    if (/^\/deliveries\/\d+\/(pause|resume|stop)$/.test(path)) { state.paused = path.endsWith('pause'); state.changes.push(path); return { body: { delivery_id: id } }; }
    if (path === '/deliveries/approvals') return { body: { approvals: approvals().filter((each) => each.state === 'waiting'), more: false } };
    if (/^\/deliveries\/\d+\/approval$/.test(path)) return approval(id) && !state.approvalLost ? { body: approval(id) } : refuse(404, 'no data found.');
    if (/^\/deliveries\/\d+\/approval\/(approve|send_back)$/.test(path)) {
      // Somebody else changes it before this arrives.
      if (state.changes_first) { state.changes_first = false; state.revision = 3; }
      const asked = approval(id);
      if (asked?.why_not) return refuse(403, 'it is not yours to decide.');
      if (asked?.state !== 'waiting' || body.revision !== asked.revision) return refuse(409, ja ? 'この間に変更されました。' : 'it was changed meanwhile.');
      state.decided = { ...state.decided, [id]: path.endsWith('approve') ? { state: 'approved' } : { state: 'sent_back', reason: body.reason } };
      return { body: approval(id) };
    }
    if (/^\/deliveries\/\d+\/progress$/.test(path)) return { body: progress(id) };
    if (/preview$/.test(path)) {
      const unfit = Object.keys(body?.data ?? {}).find((name) => !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name));
      if (unfit) return refuse(400, `"${unfit}" is no name.`);
      if (path !== '/deliveries/-/preview' || body.template) return { body: preview };
      const put = (text) => (body.insert_code ?? []).reduce((all, { key, value }) => all.replaceAll(key, value), text);
      return { body: { ...preview, delivery_id: null, email: body.email ?? 'recipient@example.com', subject: put(body.subject), text_part: put(body.text_part ?? ''), html_part: body.html_part ? put(body.html_part) : null } };
    }
    if (/resend$/.test(path)) return { status: 201, body: { delivery_id: 1043 } };
    if (id) { const row = deliveries().find((each) => each.delivery_id === id); return row ? { body: { ...row, text_part: '', html_part: '', attaches: [], total_count: 20_000, sent_count: 1, drop_count: 0, soft_error_count: 0, hard_error_count: 0, open_count: 0 } } : refuse(404, 'no data found.'); }
    if (path === '/logs/mails/results') return { body: { data: ['SENT', 'RETRY', 'HARDERROR', 'SOFTERROR', 'DROP'].filter((each) => !query.get('status[]') || query.get('status[]') === each).map((status, i) => ({ maillog_id: 90 - i, delivery_id: 1042, delivery_type: 'BULK', email: `person${i}@example.com`, status, last_response_code: ['250', '451', '550', '0', '554(errors)'][i], last_response_message: ['2.0.0 OK', '4.7.1 later', '5.1.1 no such user', 'no connection', ''][i], delivery_time: jst(12), open_time: null, created_time: jst(12), updated_time: jst(9) })) } };
    if (path === '/explain') {
      if (query.get('delivery_id')) return { body: { text: '', more: false, sites: [], causes: [{ site: 'docomo', state: 'bounced', cause: 'sender_address', mails: 820, share: 0.041, meaning: ja ? 'docomo は送信ドメインを受け付けません。' : "docomo does not accept the sender's domain.", action: ja ? 'DNS に不足しているレコードを公開してください。' : 'Publish the missing records in the DNS.', whose: ja ? '運用者（DNS レコード、アドレス、鍵、ルール、速度）' : "the operator's (DNS records, addresses, keys, rules, pace)", sample: { delivery_id: 1042, email_id: 137, email: 'person2@example.com', at: jst(9), answer: '550 5.7.1 From domain has no A or MX record' } }] } };
      if (!['email', 'reference', 'message_id', 'email_id'].some((each) => query.get(each))) return { body: state.empty ? { text: '', more: false, sites: [], causes: [] } : lastDay(ja) };
      const found = ['hanako@example.jp', '4711'].includes(query.get('email') ?? query.get('reference'));
      return { body: { address: query.get('email') ?? '', text: '', more: false, mails: found ? mails(ja) : [] } };
    }
    if (path === '/rates') return { body: { hours: 24, delivery_id: null, own_limits: {}, rates: state.empty ? [] : [{ scope: 'receiver', name: 'docomo', level: 'paused', because: ja ? '存在しない宛先: 109 通中 22 通（20.18 %）、上限は 5 %' : 'unknown users: 22 of 109 (20.18 %); the limit is 5 %', since: jst(40), answered: 109, delivered: 87, hard_bounces: 22, hard_bounce_percent: 20.18, unknown_users: 22, unknown_user_percent: 20.18, complaints: 0, complaints_measured_by: 0, complaint_percent: null }, { scope: 'account', name: '', level: 'calm', because: '', since: null, answered: 24_000, delivered: 23_000, hard_bounces: 260, hard_bounce_percent: 1.1, unknown_users: 200, unknown_user_percent: 0.8, complaints: 3, complaints_measured_by: 9_000, complaint_percent: 0.03 }] } };
    if (path === '/domains' && method === 'POST') return { status: 201, body: { ...domains()[1], domain: body.domain } };
    if (path === '/domains') return { body: { domains: domains() } };
    if (/verify$/.test(path)) return { body: { state: 'unproven', record_found: false, found_instead: HARM } };
    if (/history$/.test(path)) return { body: path.includes('mail.') ? { account: 'shop', domain: 'mail.example.com', not_checked: 'not_proven', determined: false, faults: [], changes: [] } : { account: 'shop', domain: 'example.jp', checked: jst(30), next: jst(-330), determined: true, outcome: 'warning', faults: [{ code: 'dmarc_none', outcome: 'warning', subject: 'DMARC', sentence: 'DMARC says p=none: receivers do nothing about mail that fails.', sentence_ja: 'DMARC が p=none のため、認証に失敗したメールも受信側で止められません。', since: jst(9_000) }], changes: [{ code: 'spf', outcome: 'fail', change: 'broken', at: jst(20_000), sentence: 'SPF lacked our address.', sentence_ja: 'SPF に送信元アドレスがありませんでした。' }, { code: 'spf', outcome: 'fail', change: 'whole', at: jst(19_000), sentence: 'SPF has our address.', sentence_ja: 'SPF に送信元アドレスが加わりました。' }] } };
    if (/^\/domains\/[^/]+\/keys$/.test(path)) { state.keysMade = true; return { status: 201, body: records(path.split('/')[2]) }; }
    if (/^\/domains\/[^/]+\/records$/.test(path)) return { body: records(path.split('/')[2]) };
    if (path.startsWith('/domains/')) return { body: {} };
    if (path === '/suppressions' && method === 'POST') return { status: 201, body: { email: body.email, added: true } };
    if (path === '/suppressions' && method === 'DELETE') { if (['complaint', 'unsubscribe'].includes(query.get('reason')) && !query.get('why')) return refuse(400, 'why is needed.'); state.removed.add(query.get('email')); return { body: { removed: [] } }; }
    if (path === '/suppressions') { const asked = query.get('email'); return { body: { data: suppressions().filter((row) => !asked || row.email === asked), next: null, ...(asked ? { email: asked, removed: [{ reason: 'manual', why: '本人の依頼', actor: 'person 1 (hanako@example.jp)', time: jst(20_000) }] } : {}) } }; }
    if (path === '/webhooks' && method === 'POST') return { status: 201, body: { ...webhook, url: body.url, secret: 'whsec_ZGVtbyBzZWNyZXQgb25seQ' } };
    if (path === '/webhooks') return { body: { data: state.empty ? [] : [webhook] } };
    if (/test$/.test(path)) return { body: { accepted: !state.testFails, call: callOf(state.testFails ? 503 : 200, 0) } };
    if (/calls$/.test(path)) return { body: { data: [callOf(200, 3), callOf(500, 40)] } };
    if (path.startsWith('/webhooks/')) return { body: webhook };
    if (path === '/templates') return { body: { data: state.empty ? [] : [{ template_id: 5, name: 'news', latest_version: 3, created_time: jst(90_000), updated_time: jst(900) }, { template_id: 4, name: HARM, latest_version: 1, created_time: jst(190_000), updated_time: jst(190_000) }], next: null } };
    if (path.startsWith('/templates/')) return { body: { template_id: 5, name: 'news', latest_version: 3, created_time: jst(90_000), updated_time: jst(900), version: Number(query.get('version') ?? 3), from: null, subject: '', text_part: '', html_part: '', escape: 'html', codes: [{ key: '{{user.name}}', required: true }, { key: '{{point}}', required: false }, { key: '__shop__', required: true }], versions: [3, 2, 1].map((version) => ({ version, created_time: jst(900 + 9_000 * (3 - version)) })) } };
    if (path === '/usages/days') return { body: { data: Array.from({ length: 31 }, (_, i) => ({ day: new Date(Date.now() - i * 86_400_000).toISOString().slice(0, 10), accepted: state.empty ? 0 : Math.round(900 + 700 * Math.sin(i / 2) + (i % 7) * 90) })), limits: state.empty ? [] : [{ limit: 'mails_per_day', most: 2_000, used: 1_812, remaining: 188, resets_in: 25_200 }, { limit: 'mails_per_month', most: 50_000, used: 20_102, remaining: 29_898, resets_in: 1_321_200 }] } };
    if (path === '/usages') return { body: { data: [202612, 202611, 202610].map((month, i) => ({ month, current: 21_000 - 3_000 * i, remaining: 2147483647, update_time: jst(1), updated_time: jst(1), plan_id: 'unlimited' })) } };
    if (path === '/tags') return { body: { days: 7, from: jst(10_000), data: state.empty ? [] : [{ tag: 'order', answered: 4120, delivered: 4101, hard_bounces: 12, unknown_users: 9, complaints: 0, complaints_measured_by: 800 }, { tag: HARM, answered: 3, delivered: 3, hard_bounces: 0, unknown_users: 0, complaints: 0, complaints_measured_by: 0 }], others: null } };
    return refuse(404, 'no data found.');
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://127.0.0.1');
    const headers = { 'Content-Security-Policy': POLICY, 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer', 'Cache-Control': 'no-store' };
    const body = [];
    for await (const piece of request) body.push(piece);
    const path = url.pathname;
    if (path.startsWith('/api/v1') || path.startsWith('/console/v1')) {
      const ja = (request.headers['accept-language'] ?? '').startsWith('ja');
      if (path === '/api/v1/events') {
        if (!state.signedIn) return response.writeHead(401, headers).end();
        state.streams = (state.streams ?? 0) + 1;
        response.writeHead(200, { ...headers, 'Content-Type': 'text/event-stream' });
        const send = () => response.write(`event: progress\ndata: ${JSON.stringify(watched(Number(url.searchParams.get('delivery_id'))))}\n\n`);
        send();
        const timer = setInterval(send, 400);
        response.on('close', () => { clearInterval(timer); state.streams--; });
        if (state.cut) setTimeout(() => response.destroy(), 200);
        return undefined;
      }
      const isSafe = request.method === 'GET';
      const isDoor = path.startsWith('/console/v1/');
      const enters = isDoor && (path === '/console/v1/session' && request.method === 'POST' || path.startsWith('/console/v1/links') || path.startsWith('/console/v1/resets'));
      if (isSafe && path.endsWith('/preview') && url.searchParams.get('format') === 'html') {
        if (!state.signedIn || ![null, as()].includes(url.searchParams.get('as'))) return response.writeHead(409, headers).end();
        return response.writeHead(200, { ...headers, 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': MAIL_POLICY, 'X-Frame-Options': 'SAMEORIGIN' }).end(`<!doctype html><base target="_blank">${html}`);
      }
      let answer;
      let given = {};
      const type = request.headers['content-type'] ?? '';
      if (path.endsWith('/errorinfo/download')) return response.writeHead(200, { ...headers, 'Content-Type': 'application/zip' }).end(zipOf(state.job.ja ? '"理由","email","__name__"\r\n"[email: 必須項目です, 4行目]","","次郎"\r\n"[email: 不正です, 5行目]","nobody@","三郎"\r\n' : '"reason","email","__name__"\r\n"[email: is required, row: 4]","","Ben"\r\n"[email: is no address, row: 5]","nobody@","Eva"\r\n'));
      if (type.includes('json') && body.length) given = JSON.parse(Buffer.concat(body).toString());
      if (!isSafe && !enters && state.signedIn && request.headers['x-todoku-token'] !== token()) answer = refuse(403, 'the page that sent this is out of date: load it again.');
      else if (!enters && state.signedIn && ![undefined, as()].includes(request.headers['x-todoku-as'])) answer = refuse(409, 'this browser is signed in as somebody else by now: nothing was done.');
      else answer = isDoor ? door(request.method, decodeURIComponent(path.slice('/console/v1/'.length)), url.searchParams, given, ja) : api(request.method, path.slice('/api/v1'.length), url.searchParams, given, ja);
      if (!isSafe && (answer.status ?? 200) < 300) state.done.push(`${request.method} ${path}`);
      if (!isSafe) state.changes.push(`${request.method} ${path}`);
      const written = answer.body === undefined ? '' : JSON.stringify(answer.body);
      // For pictures.
      const text = state.harmless ? written.replaceAll(JSON.stringify(HARM).slice(1, -1), ' No. 4') : written;
      setTimeout(() => response.writeHead(answer.status ?? 200, { ...headers, ...(text ? { 'Content-Type': 'application/json' } : {}), ...answer.headers }).end(text), state.slow ?? 0);
      return undefined;
    }
    const file = join(folder, path);
    const found = path !== '/' && !path.includes('..') && existsSync(file) ? file : join(folder, 'index.html');
    return response.writeHead(200, { ...headers, 'Content-Type': TYPES[extname(found)] ?? 'application/octet-stream' }).end(readFileSync(found));
  });
  return { server, state };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { server, state } = mock(process.argv[2]);
  Object.assign(state, { signedIn: true });
  server.listen(Number(process.argv[3] ?? 0), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
}
