// SPDX-License-Identifier: Apache-2.0
// The tables, as each version of the schema made or changed them. What was released stays as it is.
#pragma once

namespace todoku::store::sqlite {

// What the columns mean, where their names do not say it:
//
// deliveries.agenda     when it is to be started: its reservation, 0 for at once, NULL if it is not
//                       waiting to be started.
// sections              A bulk delivery's batches belong to sections, so that one row makes all
//                       recipients of an import visible, or clears a draft: state 1 live, 2 staged
//                       by a running import, 3 discarded. open_batch: the batch that the next
//                       single recipients go to.
// batches.section       NULL for transactions.
// batches.domain        '' if its recipients have different domains.
// batches.size          rows it has had; removed: of which were taken out of the draft.
// batches.open          recipients that are not in a terminal state.
// batches.ready_at      when it may be claimed: the earliest due time of its recipients, 0 for
//                       "since the start of the delivery", NULL while somebody holds it and when
//                       nothing is open. So starting a delivery of ten million touches one row.
// batches.token         counts the claims and the losses: the fencing token.
// recipients.id         keys.h. address: without its domain (ends in @) if it is the batch's.
// recipients.codes      insert codes, records.h. created, updated: NULL for the batch's.
// progress              a recipient's state from its first outcome on; absent means pending.
// progress.info         attempts << 3 | state. due: for deferred. history: records.h.
// dictionary            values that repeat (paths, replies, keys of insert codes), dictionary.h.
// address_*             look-up by address, address_index.h.
inline constexpr const char* kVersion1 = R"sql(
CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE settings(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE accounts(
  key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, weight INTEGER NOT NULL,
  suspended INTEGER NOT NULL, created INTEGER NOT NULL, next_delivery_id INTEGER NOT NULL,
  next_email_id INTEGER NOT NULL, next_job_id INTEGER NOT NULL);
CREATE TABLE api_keys(
  id INTEGER PRIMARY KEY, account INTEGER NOT NULL, label TEXT NOT NULL,
  token TEXT NOT NULL UNIQUE, created INTEGER NOT NULL, revoked INTEGER);
CREATE TABLE dkim_keys(
  account INTEGER NOT NULL, domain TEXT NOT NULL, selector TEXT NOT NULL,
  algorithm TEXT NOT NULL, sealed BLOB NOT NULL, dns_record TEXT NOT NULL,
  created INTEGER NOT NULL, PRIMARY KEY(account, domain, selector)) WITHOUT ROWID;

CREATE TABLE deliveries(
  key INTEGER PRIMARY KEY, account INTEGER NOT NULL, id INTEGER NOT NULL,
  type INTEGER NOT NULL, traffic INTEGER NOT NULL, status INTEGER NOT NULL,
  deleted INTEGER NOT NULL, at_most_once INTEGER NOT NULL,
  created INTEGER NOT NULL, updated INTEGER NOT NULL, reservation INTEGER, started INTEGER,
  finished INTEGER, agenda INTEGER, total INTEGER NOT NULL, delivered INTEGER NOT NULL,
  bounced INTEGER NOT NULL, dropped INTEGER NOT NULL, expired INTEGER NOT NULL,
  cancelled INTEGER NOT NULL, unknown INTEGER NOT NULL, deferred INTEGER NOT NULL,
  signing TEXT NOT NULL, failure_reason TEXT NOT NULL);
CREATE INDEX deliveries_public ON deliveries(account, id) WHERE deleted = 0;
CREATE INDEX deliveries_agenda ON deliveries(agenda) WHERE agenda IS NOT NULL;
CREATE INDEX deliveries_unstarted ON deliveries(account, type, status)
  WHERE status <= 4 AND deleted = 0;
CREATE INDEX deliveries_sending_bulk ON deliveries(key)
  WHERE status = 5 AND traffic = 1 AND deleted = 0;
CREATE INDEX deliveries_deleted ON deliveries(key) WHERE deleted = 1;

CREATE TABLE contents(
  delivery INTEGER PRIMARY KEY, from_address TEXT NOT NULL, from_name TEXT NOT NULL,
  reply_address TEXT, reply_name TEXT, header_to BLOB, header_cc BLOB,
  encode INTEGER NOT NULL, unsubscribe_mailto TEXT NOT NULL, unsubscribe_url TEXT NOT NULL,
  attachments INTEGER NOT NULL, subject TEXT NOT NULL, text_part TEXT NOT NULL,
  html_part TEXT NOT NULL);
CREATE TABLE attachments(
  id INTEGER PRIMARY KEY, delivery INTEGER NOT NULL, file_name TEXT NOT NULL,
  mime_type TEXT NOT NULL, size INTEGER NOT NULL, created INTEGER NOT NULL,
  data BLOB NOT NULL);
CREATE INDEX attachments_delivery ON attachments(delivery);

CREATE TABLE sections(
  id INTEGER PRIMARY KEY, delivery INTEGER NOT NULL, state INTEGER NOT NULL,
  open_batch INTEGER);
CREATE INDEX sections_delivery ON sections(delivery, state);
CREATE INDEX sections_discarded ON sections(id) WHERE state = 3;

CREATE TABLE batches(
  number INTEGER PRIMARY KEY, delivery INTEGER NOT NULL, account INTEGER NOT NULL,
  section INTEGER, traffic INTEGER NOT NULL, domain TEXT NOT NULL,
  first_email_id INTEGER NOT NULL, capacity INTEGER NOT NULL, size INTEGER NOT NULL,
  removed INTEGER NOT NULL, open INTEGER NOT NULL, created INTEGER NOT NULL, ready_at INTEGER,
  token INTEGER NOT NULL, holder INTEGER NOT NULL);
CREATE INDEX batches_email ON batches(account, first_email_id);
CREATE INDEX batches_section ON batches(section, domain, ready_at) WHERE section IS NOT NULL;
CREATE INDEX batches_ready ON batches(traffic, ready_at) WHERE ready_at IS NOT NULL;

CREATE TABLE recipients(
  id INTEGER PRIMARY KEY, address TEXT NOT NULL, codes BLOB, created INTEGER, updated INTEGER);
CREATE TABLE progress(
  id INTEGER PRIMARY KEY, info INTEGER NOT NULL, due INTEGER, history BLOB NOT NULL);
CREATE TABLE dictionary(
  id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, hash INTEGER NOT NULL, value BLOB NOT NULL);
CREATE INDEX dictionary_hash ON dictionary(hash);

CREATE TABLE import_jobs(
  account INTEGER NOT NULL, id INTEGER NOT NULL, delivery INTEGER NOT NULL,
  section INTEGER NOT NULL, status INTEGER NOT NULL, ignore_errors INTEGER NOT NULL,
  immediate INTEGER NOT NULL, percentage INTEGER NOT NULL, staged INTEGER NOT NULL,
  success INTEGER NOT NULL, failed INTEGER NOT NULL, total INTEGER NOT NULL,
  upload_file TEXT NOT NULL, error_file TEXT NOT NULL, created INTEGER NOT NULL,
  PRIMARY KEY(account, id)) WITHOUT ROWID;
CREATE INDEX import_jobs_delivery ON import_jobs(delivery);
CREATE INDEX import_jobs_running ON import_jobs(status) WHERE status = 1;

CREATE TABLE address_runs(
  id INTEGER PRIMARY KEY, level INTEGER NOT NULL, state INTEGER NOT NULL,
  entries INTEGER NOT NULL, chunks INTEGER NOT NULL, last_recipient INTEGER NOT NULL);
CREATE TABLE address_chunks(id INTEGER PRIMARY KEY, entries BLOB NOT NULL);
CREATE TABLE address_recent(recipient INTEGER PRIMARY KEY, hash INTEGER NOT NULL);
)sql";

// deliveries_started    A delivery that has not started counts as started at 0.
// deliveries_few        All but transactions that go out or have: of those an account may have
//                       millions, of the others it has not.
// batches_held          What is leased: at most what a process has in memory.
// batches_ready         Transactional batches by due time, for when few wait (store/work.h, Due).
// batches_urgent        The same by domain, for when many do.
// batches_waiting       Bulk batches by due time, for when few do.
// meta.waiting*         Until version 3.
inline constexpr const char* kVersion2 = R"sql(
CREATE INDEX deliveries_started ON deliveries(account, coalesce(started, 0)) WHERE deleted = 0;
CREATE INDEX deliveries_few ON deliveries(account, id)
  WHERE deleted = 0 AND (type <> 1 OR status NOT IN (5, 6));
DROP INDEX batches_ready;
CREATE INDEX batches_ready ON batches(ready_at) WHERE traffic = 0 AND ready_at IS NOT NULL;
CREATE INDEX batches_held ON batches(holder) WHERE holder <> 0;
CREATE INDEX batches_urgent ON batches(domain, ready_at)
  WHERE traffic = 0 AND ready_at IS NOT NULL;
CREATE INDEX batches_waiting ON batches(section, ready_at)
  WHERE section IS NOT NULL AND ready_at IS NOT NULL;
CREATE INDEX address_recent_hash ON address_recent(hash, recipient);
INSERT INTO meta(name, value) VALUES
  ('waiting0', (SELECT coalesce(sum(open), 0) FROM batches
    WHERE traffic = 0 AND ready_at IS NOT NULL)),
  ('waiting1', (SELECT coalesce(sum(total - delivered - bounced - dropped - expired - cancelled
    - unknown), 0) FROM deliveries WHERE status = 5 AND traffic = 1 AND deleted = 0));
)sql";

// deliveries.expires    The end of its life: nothing of it is sent after. What had begun before
//                       version 3 lives for the longest that could be configured, 240 hours.
// deliveries_newest     Lists go by time and key: ids of several nodes are not in the order of
// time.
//
// nodes.lease_until     What a node holds (batches.holder) hangs on it.
// nodes.void            0: it lives; 1: it counts as dead; 2: it has left in order.
//
// batches.losses        Leases in a row that ended with their node's death and without an outcome.
// batches.alone         Of a suspect (store/work.h): seq of the one recipient that is leased.
// batches.begun         Its holder has said that it is about to make that recipient's mail.
//
// suspects              Recipients that a node died with, begun and alone; aside: since when it
//                       waits for an operator.
// import_jobs.node      Whose it is to run.
inline constexpr const char* kVersion3 = R"sql(
ALTER TABLE deliveries ADD COLUMN expires INTEGER;
UPDATE deliveries SET expires = started + 864000000 WHERE status IN (5, 6);
ALTER TABLE batches ADD COLUMN losses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN alone INTEGER;
ALTER TABLE batches ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;
UPDATE batches SET holder = 0, token = token + 1, ready_at = CASE WHEN open > 0 THEN 0 END
  WHERE holder <> 0;
ALTER TABLE import_jobs ADD COLUMN node INTEGER NOT NULL DEFAULT 0;
CREATE TABLE nodes(
  key INTEGER PRIMARY KEY, name TEXT NOT NULL, roles TEXT NOT NULL, version TEXT NOT NULL,
  entered INTEGER NOT NULL, lease_until INTEGER NOT NULL, void INTEGER NOT NULL);
CREATE TABLE suspects(
  recipient INTEGER PRIMARY KEY, deaths INTEGER NOT NULL, aside INTEGER);
CREATE INDEX suspects_aside ON suspects(aside) WHERE aside IS NOT NULL;
DROP INDEX deliveries_few;
CREATE INDEX deliveries_few ON deliveries(account, created)
  WHERE deleted = 0 AND (type <> 1 OR status NOT IN (5, 6));
CREATE INDEX deliveries_newest ON deliveries(account, created) WHERE deleted = 0;
DELETE FROM meta WHERE name IN ('waiting0', 'waiting1');
)sql";

// accounts.text_from_html, contents.text_from_html   A mail without text part gets one that is made
//                       from its HTML; of a delivery as it was when it was registered.
// import_jobs.keep_duplicates   Else an address that its list has twice becomes one recipient.
inline constexpr const char* kVersion4 = R"sql(
ALTER TABLE accounts ADD COLUMN text_from_html INTEGER NOT NULL DEFAULT 1;
ALTER TABLE contents ADD COLUMN text_from_html INTEGER NOT NULL DEFAULT 1;
ALTER TABLE import_jobs ADD COLUMN keep_duplicates INTEGER NOT NULL DEFAULT 0;
)sql";

// api_keys_account      Of an account there are a few, of all accounts there may be millions.
inline constexpr const char* kVersion5 = R"sql(
CREATE INDEX api_keys_account ON api_keys(account);
)sql";

// import_jobs.language  Of what is said about its rows; base/bilingual.h's numbers.
inline constexpr const char* kVersion6 = R"sql(
ALTER TABLE import_jobs ADD COLUMN language INTEGER NOT NULL DEFAULT 0;
)sql";

// import_jobs.folded    Rows that made no recipient because an earlier one had made it.
inline constexpr const char* kVersion7 = R"sql(
ALTER TABLE import_jobs ADD COLUMN folded INTEGER NOT NULL DEFAULT 0;
UPDATE import_jobs SET folded = total - success - failed WHERE status = 2;
)sql";

// on_its_way            Recipients of deliveries with at_most_once whose content is about to go out
//                       and whose outcome is not known (writes_once.cc).
inline constexpr const char* kVersion8 = R"sql(
CREATE TABLE on_its_way(recipient INTEGER PRIMARY KEY);
)sql";

// accounts_suspended    Of millions of accounts a few.
inline constexpr const char* kVersion9 = R"sql(
CREATE INDEX accounts_suspended ON accounts(suspended) WHERE suspended = 1;
)sql";

// leadership            One row: which scheduler leads (store/cluster.h); node 0: none.
// source_owners         Whose a source is; node 0: nobody's. Its token stays.
// changes               A number for each topic of store/changes.h.
// bells                 store/bells.h. ready_at: since when it is ready, or will be, unless it is
//                       hidden; hidden: until when its receiver alone has it.
// news                  What processes tell the one that leads (store/news.h).
inline constexpr const char* kVersion10 = R"sql(
CREATE TABLE leadership(
  id INTEGER PRIMARY KEY, node INTEGER NOT NULL, until INTEGER NOT NULL, token INTEGER NOT NULL);
INSERT INTO leadership VALUES(1, 0, 0, 0);
CREATE TABLE source_owners(
  source TEXT PRIMARY KEY, node INTEGER NOT NULL, token INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE changes(topic INTEGER PRIMARY KEY, number INTEGER NOT NULL);
CREATE TABLE bells(
  source TEXT NOT NULL, traffic INTEGER NOT NULL, delivery INTEGER NOT NULL,
  batch INTEGER NOT NULL, ready_at INTEGER NOT NULL, hidden INTEGER NOT NULL,
  times INTEGER NOT NULL, reception INTEGER,
  PRIMARY KEY(source, traffic, delivery, batch)) WITHOUT ROWID;
CREATE INDEX bells_order ON bells(source, traffic, ready_at);
CREATE TABLE news(key INTEGER PRIMARY KEY, at INTEGER NOT NULL, teller INTEGER NOT NULL,
  body BLOB NOT NULL);
CREATE INDEX news_at ON news(at);
)sql";

// api_keys.scopes, networks, expires, life   store/accounts.h.
inline constexpr const char* kVersion11 = R"sql(
ALTER TABLE api_keys ADD COLUMN scopes INTEGER NOT NULL DEFAULT 15;
ALTER TABLE api_keys ADD COLUMN networks TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN expires INTEGER;
ALTER TABLE api_keys ADD COLUMN life INTEGER;
)sql";

// nodes.settings        What a process goes by of what must be the same in all (store/nodes.h).
// nodes.sources         From what it could send, a name a line.
inline constexpr const char* kVersion12 = R"sql(
ALTER TABLE nodes ADD COLUMN settings TEXT NOT NULL DEFAULT '';
ALTER TABLE nodes ADD COLUMN sources TEXT NOT NULL DEFAULT '';
)sql";

// kept_answers          store/idempotency.h. The key first: it is different for each.
inline constexpr const char* kVersion13 = R"sql(
CREATE TABLE kept_answers(
  key BLOB NOT NULL, account INTEGER NOT NULL, route INTEGER NOT NULL, fingerprint BLOB NOT NULL,
  answer INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY(key, account, route)) WITHOUT ROWID;
CREATE INDEX kept_answers_until ON kept_answers(until);
)sql";

// event_sheets          store/event_sheet.h. place: generation and commit in one number; here a
//                       sheet takes a number of the line (store/numbers.h), of its one writer, so
//                       that sheets of later commits have later places.
// meta.event_generation, meta.events_kept_from   store/events.h; the second is the place
//                       of the last sheet that was deleted.
inline constexpr const char* kVersion14 = R"sql(
CREATE TABLE event_sheets(
  place INTEGER PRIMARY KEY, account INTEGER NOT NULL, at INTEGER NOT NULL, entries BLOB NOT NULL);
CREATE INDEX event_sheets_account ON event_sheets(account);
INSERT INTO meta(name, value) VALUES('event_generation', 0), ('events_kept_from', 0);
)sql";

// not_sent              Who was not simply sent to (store/logs.h), of recipients that have a state:
//                       id is the email_id. Of outcomes recorded before version 15 the code is not
//                       known: 0.
// batches_log           Where the ids of a bulk delivery lie.
// deliveries_late       What started more than store/logs.h's kLogLateStart after its registration.
// usages                Mails started by month (store/usages.h).
inline constexpr const char* kVersion15 = R"sql(
CREATE TABLE not_sent(
  account INTEGER NOT NULL, state INTEGER NOT NULL, id INTEGER NOT NULL, code INTEGER NOT NULL,
  PRIMARY KEY(account, state, id)) WITHOUT ROWID;
CREATE INDEX not_sent_code ON not_sent(account, code, id);
INSERT INTO not_sent(account, state, id, code)
  SELECT b.account, p.info & 7, b.first_email_id + (p.id & 511), 0
  FROM progress p JOIN batches b ON b.number = p.id >> 9 WHERE (p.info & 7) NOT IN (0, 2);
CREATE INDEX batches_log ON batches(section, first_email_id, capacity) WHERE section IS NOT NULL;
CREATE INDEX deliveries_late ON deliveries(account, started)
  WHERE started > created + 60000 AND deleted = 0;
CREATE TABLE usages(
  account INTEGER NOT NULL, month INTEGER NOT NULL, slot INTEGER NOT NULL, mails INTEGER NOT NULL,
  updated INTEGER NOT NULL, PRIMARY KEY(account, month, slot)) WITHOUT ROWID;
INSERT INTO usages(account, month, slot, mails, updated)
  SELECT account, CAST(strftime('%Y%m', started / 1000 + 32400, 'unixepoch') AS INTEGER), 0,
  sum(total), max(started) FROM deliveries WHERE started IS NOT NULL GROUP BY 1, 2;
)sql";

// domains               store/domains.h; consents: keys of accounts, a space between. Whoever has
//                       a DKIM key has it from an operator, who so stood for the domain.
// mail_counts           store/mail_counts.h: what a process accepted of an account on a day.
// accounts.requests_per_minute, mails_per_...   store/accounts.h.
inline constexpr const char* kVersion16 = R"sql(
CREATE TABLE domains(
  account INTEGER NOT NULL, domain TEXT NOT NULL, token TEXT NOT NULL, state INTEGER NOT NULL,
  vouched INTEGER NOT NULL, consents TEXT NOT NULL, created INTEGER NOT NULL, proven INTEGER,
  answered INTEGER, failing INTEGER, failed_for INTEGER NOT NULL, look_at INTEGER,
  PRIMARY KEY(account, domain)) WITHOUT ROWID;
CREATE INDEX domains_held ON domains(domain) WHERE state = 1;
CREATE INDEX domains_proven ON domains(account, domain) WHERE state = 1;
CREATE INDEX domains_look ON domains(look_at) WHERE look_at IS NOT NULL;
INSERT INTO domains SELECT account, domain, '', 1, 1, '', min(created), min(created), NULL, NULL,
  0, NULL FROM dkim_keys GROUP BY account, domain;
CREATE TABLE mail_counts(
  account INTEGER NOT NULL, day INTEGER NOT NULL, node INTEGER NOT NULL, mails INTEGER NOT NULL,
  PRIMARY KEY(account, day, node)) WITHOUT ROWID;
CREATE INDEX mail_counts_day ON mail_counts(day);
ALTER TABLE accounts ADD COLUMN requests_per_minute INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN mails_per_minute INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN mails_per_day INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN mails_per_month INTEGER NOT NULL DEFAULT 0;
)sql";

// deliveries.purpose, list_id, tags   mail/labels.h; a tag a line.
//
// suppressions.id       Where it is found: of subject and account (suppressions.cc).
// suppressions.stopping It stops mail; else it is a hard error that waits for the next one.
// suppressions.errors   Hard errors so far; code, words, error_at, delivery and email of the last.
// suppression_removals  Who took what off a list (store/suppressions.h), for good.
// export_jobs           store/exports.h.
inline constexpr const char* kVersion17 = R"sql(
ALTER TABLE deliveries ADD COLUMN purpose INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN list_id TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN tags TEXT NOT NULL DEFAULT '';
CREATE TABLE suppressions(
  id INTEGER PRIMARY KEY, account INTEGER NOT NULL, subject TEXT NOT NULL,
  reason INTEGER NOT NULL, list_id TEXT NOT NULL, scope INTEGER NOT NULL,
  stopping INTEGER NOT NULL, errors INTEGER NOT NULL, note TEXT NOT NULL, code INTEGER NOT NULL,
  words TEXT NOT NULL, error_at INTEGER, delivery INTEGER NOT NULL, email INTEGER NOT NULL,
  expires INTEGER, created INTEGER NOT NULL, updated INTEGER NOT NULL);
CREATE INDEX suppressions_created ON suppressions(account, created, id);
CREATE INDEX suppressions_errors ON suppressions(account, updated, id)
  WHERE reason = 1 AND stopping = 1;
CREATE INDEX suppressions_updated ON suppressions(updated);
CREATE INDEX suppressions_expires ON suppressions(expires) WHERE expires IS NOT NULL;
CREATE TABLE suppression_removals(
  key INTEGER PRIMARY KEY, account INTEGER NOT NULL, subject TEXT NOT NULL,
  reason INTEGER NOT NULL, list_id TEXT NOT NULL, why TEXT NOT NULL, actor TEXT NOT NULL,
  at INTEGER NOT NULL);
CREATE INDEX suppression_removals_subject ON suppression_removals(account, subject, key);
CREATE TABLE export_jobs(
  account INTEGER NOT NULL, id INTEGER NOT NULL, kind INTEGER NOT NULL, parameters TEXT NOT NULL,
  language INTEGER NOT NULL, status INTEGER NOT NULL, percentage INTEGER NOT NULL,
  total INTEGER NOT NULL, file TEXT NOT NULL, node INTEGER NOT NULL, created INTEGER NOT NULL,
  ended INTEGER, PRIMARY KEY(account, id)) WITHOUT ROWID;
CREATE INDEX export_jobs_running ON export_jobs(created) WHERE status = 1;
CREATE INDEX export_jobs_of_account ON export_jobs(account) WHERE status = 1;
CREATE INDEX export_jobs_ended ON export_jobs(ended) WHERE ended IS NOT NULL;
)sql";

// opens                 store/opens.h; id is the email_id. opened_last, prefetched_last: of the
// last
//                       that was recorded. A row only for whom something was seen.
// open_counts           Apart from deliveries: what is opened and what is sent change other rows.
// contents.open_tracking   Mail that was registered before has no image, also on a retry.
inline constexpr const char* kVersion18 = R"sql(
CREATE TABLE opens(
  account INTEGER NOT NULL, id INTEGER NOT NULL, opened INTEGER, opened_last INTEGER,
  times INTEGER NOT NULL, prefetched INTEGER, prefetched_last INTEGER,
  PRIMARY KEY(account, id)) WITHOUT ROWID;
CREATE TABLE open_counts(
  delivery INTEGER PRIMARY KEY, opened INTEGER NOT NULL, prefetched INTEGER NOT NULL);
ALTER TABLE accounts ADD COLUMN open_tracking INTEGER NOT NULL DEFAULT 1;
ALTER TABLE contents ADD COLUMN open_tracking INTEGER NOT NULL DEFAULT 0;
)sql";

// contents.headers      What the sender adds to the header (store/records.h).
// deliveries.life       In milliseconds, from its start; NULL: as long as is usual.
// deliveries.course     store/course.h.
// deliveries_held       Paused, or stopped and not ended.
inline constexpr const char* kVersion19 = R"sql(
ALTER TABLE contents ADD COLUMN headers BLOB NOT NULL DEFAULT x'';
ALTER TABLE deliveries ADD COLUMN life INTEGER;
ALTER TABLE deliveries ADD COLUMN course INTEGER NOT NULL DEFAULT 0;
CREATE INDEX deliveries_held ON deliveries(key) WHERE course BETWEEN 1 AND 2 AND deleted = 0;
)sql";

// webhooks              store/webhooks.h. status: 1 active, 2 failing, 3 disabled.
inline constexpr const char* kVersion20 = R"sql(
CREATE TABLE webhooks(
  name TEXT PRIMARY KEY, account INTEGER NOT NULL, form INTEGER NOT NULL, status INTEGER NOT NULL,
  shown TEXT NOT NULL, sealed BLOB NOT NULL, wishes BLOB NOT NULL, state BLOB NOT NULL,
  node INTEGER NOT NULL, turn INTEGER NOT NULL, created INTEGER NOT NULL, changed INTEGER NOT NULL);
CREATE INDEX webhooks_account ON webhooks(account, created, name);
CREATE INDEX webhooks_told ON webhooks(name) WHERE status <> 3;
CREATE TABLE webhook_set_aside(
  webhook TEXT NOT NULL, event TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(webhook, event)) WITHOUT ROWID;
CREATE TABLE webhook_calls(webhook TEXT PRIMARY KEY, calls BLOB NOT NULL);
)sql";

// attachments.content_id   Of a part that is inline.
inline constexpr const char* kVersion21 = R"sql(
ALTER TABLE attachments ADD COLUMN content_id TEXT NOT NULL DEFAULT '';
)sql";

// contents.envelope   Of a message that is relayed (mail/content.h, RelayedEnvelope), packed.
// smtp_credentials    store/smtp_credentials.h.
// deliveries_few      Messages by SMTP are as many as transactions.
inline constexpr const char* kVersion22 = R"sql(
ALTER TABLE contents ADD COLUMN envelope BLOB NOT NULL DEFAULT x'';
DROP INDEX deliveries_few;
CREATE INDEX deliveries_few ON deliveries(account, created)
  WHERE deleted = 0 AND (type = 2 OR status NOT IN (5, 6));
CREATE TABLE smtp_credentials(
  name TEXT PRIMARY KEY, account INTEGER NOT NULL, settings BLOB NOT NULL, secret TEXT NOT NULL,
  previous_secret TEXT NOT NULL, previous_until INTEGER, created INTEGER NOT NULL,
  revoked INTEGER, uid INTEGER);
CREATE INDEX smtp_credentials_account ON smtp_credentials(account, name);
CREATE UNIQUE INDEX smtp_credentials_uid ON smtp_credentials(uid)
  WHERE uid IS NOT NULL AND revoked IS NULL;
)sql";

// relayed               store/relayed.h. delivery: whose they are, 0 as long as nobody's; gone: its
//                       pieces are being removed.
// attachments.relayed   Where its data is, if it is not here; else 0.
inline constexpr const char* kVersion23 = R"sql(
CREATE TABLE relayed(
  key INTEGER PRIMARY KEY, node INTEGER NOT NULL, octets INTEGER NOT NULL,
  pieces INTEGER NOT NULL, touched INTEGER NOT NULL, delivery INTEGER NOT NULL,
  gone INTEGER NOT NULL);
CREATE INDEX relayed_unnamed ON relayed(touched) WHERE delivery = 0 AND gone = 0;
CREATE INDEX relayed_gone ON relayed(key) WHERE gone = 1;
CREATE TABLE relayed_pieces(
  id INTEGER PRIMARY KEY, relayed INTEGER NOT NULL, which INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX relayed_pieces_which ON relayed_pieces(relayed, which);
ALTER TABLE attachments ADD COLUMN relayed INTEGER NOT NULL DEFAULT 0;
)sql";

// batches.underway      Of whom mails may be out (store/work.h, Begun), by who has it in hand.
// batches.doubted       Likewise, of those who died with it in hand, the last at lost_at.
// batches.late_until    Until when the last of them is waited for (store/nodes.h, kLateWords).
// Nothing was said of who is begun before.
inline constexpr const char* kVersion24 = R"sql(
ALTER TABLE batches ADD COLUMN underway INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN doubted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN lost_at INTEGER;
ALTER TABLE batches ADD COLUMN late_until INTEGER;
UPDATE batches SET underway = -1 WHERE holder <> 0;
UPDATE batches SET doubted = -1,
  lost_at = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) WHERE losses > 0;
)sql";

// event_readers         store/event_readers.h.
inline constexpr const char* kVersion25 = R"sql(
CREATE TABLE event_readers(
  name TEXT PRIMARY KEY, node INTEGER NOT NULL, state BLOB NOT NULL) WITHOUT ROWID;
)sql";

// smtp_credentials.held, held_because, released   store/smtp_credentials.h.
// smtp_habits             What a credential usually does (relay/anomaly.h), packed.
// deliveries.credential   Whose message it is that came by SMTP.
inline constexpr const char* kVersion26 = R"sql(
ALTER TABLE smtp_credentials ADD COLUMN held INTEGER;
ALTER TABLE smtp_credentials ADD COLUMN held_because TEXT NOT NULL DEFAULT '';
ALTER TABLE smtp_credentials ADD COLUMN released INTEGER;
CREATE INDEX smtp_credentials_held ON smtp_credentials(name) WHERE held IS NOT NULL;
CREATE TABLE smtp_habits(name TEXT PRIMARY KEY, habits BLOB NOT NULL);
ALTER TABLE deliveries ADD COLUMN credential TEXT;
)sql";

// audit                 store/personal_data.h; hash: of the address, 0 if it is about nobody alone.
inline constexpr const char* kVersion27 = R"sql(
CREATE TABLE audit(
  key INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
  account INTEGER NOT NULL, delivery INTEGER NOT NULL, email INTEGER NOT NULL,
  hash INTEGER NOT NULL, origin TEXT NOT NULL);
CREATE INDEX audit_at ON audit(at);
CREATE INDEX audit_hash ON audit(hash, key) WHERE hash <> 0;
)sql";

// domain_counts         store/domain_counts.h. domain '': the others.
// sections.domains      How many of its domains are counted apart; above the limit no more are.
// accounts.preflight    mail/preflight_mode.h.
// contents.one_click    The sender's own URL takes POSTs by RFC 8058 (mail/content.h). Of what is
//                       on its way it was said of every https URL: a retry repeats that.
inline constexpr const char* kVersion28 = R"sql(
CREATE TABLE domain_counts(
  section INTEGER NOT NULL, domain TEXT NOT NULL, recipients INTEGER NOT NULL,
  PRIMARY KEY(section, domain)) WITHOUT ROWID;
ALTER TABLE sections ADD COLUMN domains INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN preflight INTEGER NOT NULL DEFAULT 1;
ALTER TABLE contents ADD COLUMN one_click INTEGER NOT NULL DEFAULT 0;
UPDATE contents SET one_click = 1 WHERE unsubscribe_url LIKE 'https:%'
  AND delivery IN (SELECT key FROM deliveries WHERE status = 5);
)sql";

// domain_reports, report_lines   store/domain_reports.h.
inline constexpr const char* kVersion29 = R"sql(
CREATE TABLE domain_reports(
  account INTEGER NOT NULL, domain TEXT NOT NULL, day INTEGER NOT NULL, id BLOB NOT NULL,
  kind INTEGER NOT NULL, organization TEXT NOT NULL, reported TEXT NOT NULL, policy TEXT NOT NULL,
  begins INTEGER NOT NULL, ends INTEGER NOT NULL, messages INTEGER NOT NULL,
  received INTEGER NOT NULL, PRIMARY KEY(account, domain, day, id)) WITHOUT ROWID;
CREATE INDEX domain_reports_day ON domain_reports(day);
CREATE TABLE report_lines(
  account INTEGER NOT NULL, domain TEXT NOT NULL, day INTEGER NOT NULL, words BLOB NOT NULL,
  messages INTEGER NOT NULL, failed INTEGER NOT NULL,
  PRIMARY KEY(account, domain, day, words)) WITHOUT ROWID;
CREATE INDEX report_lines_day ON report_lines(day);
)sql";

// domains.check_at      store/domains.h, DomainCheck: when what it says in the DNS is checked
// again;
//                       NULL: as soon as it is proven.
// domains.check_found   What was found, packed (operate/domain_history.h).
inline constexpr const char* kVersion30 = R"sql(
ALTER TABLE domains ADD COLUMN check_at INTEGER;
ALTER TABLE domains ADD COLUMN check_found BLOB NOT NULL DEFAULT x'';
CREATE INDEX domains_check ON domains(coalesce(check_at, 0)) WHERE state = 1;
)sql";

// sts_policies, tls_counts   store/receiver_tls.h.
inline constexpr const char* kVersion31 = R"sql(
CREATE TABLE sts_policies(
  domain TEXT PRIMARY KEY, id TEXT NOT NULL, policy TEXT NOT NULL, fetched INTEGER NOT NULL,
  expires INTEGER NOT NULL);
CREATE INDEX sts_policies_expires ON sts_policies(expires);
CREATE TABLE tls_counts(
  day INTEGER NOT NULL, domain TEXT NOT NULL, policy INTEGER NOT NULL, result INTEGER NOT NULL,
  attempts INTEGER NOT NULL, PRIMARY KEY(day, domain, policy, result)) WITHOUT ROWID;
)sql";

// key_slots             store/key_slots.h.
inline constexpr const char* kVersion32 = R"sql(
CREATE TABLE key_slots(
  account INTEGER NOT NULL, domain TEXT NOT NULL, revision INTEGER NOT NULL, look INTEGER,
  state BLOB NOT NULL, PRIMARY KEY(account, domain));
CREATE INDEX key_slots_look ON key_slots(look) WHERE look IS NOT NULL;
)sql";

// delivery_outcomes, hourly_outcomes   store/outcome_counts.h.
inline constexpr const char* kVersion33 = R"sql(
CREATE TABLE delivery_outcomes(
  delivery INTEGER NOT NULL, site TEXT NOT NULL, state INTEGER NOT NULL, cause INTEGER NOT NULL,
  mails INTEGER NOT NULL, sample INTEGER NOT NULL,
  PRIMARY KEY(delivery, site, state, cause)) WITHOUT ROWID;
CREATE TABLE hourly_outcomes(
  account INTEGER NOT NULL, hour INTEGER NOT NULL, site TEXT NOT NULL, state INTEGER NOT NULL,
  cause INTEGER NOT NULL, mails INTEGER NOT NULL, sample INTEGER NOT NULL,
  PRIMARY KEY(account, hour, site, state, cause)) WITHOUT ROWID;
CREATE INDEX hourly_outcomes_hour ON hourly_outcomes(hour);
)sql";

// lane_paces   store/lane_paces.h.
inline constexpr const char* kVersion34 = R"sql(
CREATE TABLE lane_paces(
  source TEXT NOT NULL, site TEXT NOT NULL, noted INTEGER NOT NULL, kept_until INTEGER NOT NULL,
  pace INTEGER NOT NULL, connections INTEGER NOT NULL, pace_limit INTEGER NOT NULL,
  reason INTEGER NOT NULL, latency_floor INTEGER NOT NULL, latency INTEGER NOT NULL,
  since INTEGER NOT NULL, rests_until INTEGER, eases_at INTEGER, ceiling INTEGER NOT NULL,
  connections_open INTEGER NOT NULL, connections_max INTEGER NOT NULL, waiting INTEGER NOT NULL,
  PRIMARY KEY(source, site)) WITHOUT ROWID;
CREATE INDEX lane_paces_noted ON lane_paces(noted);
CREATE INDEX lane_paces_kept ON lane_paces(kept_until);
)sql";

// rate_counts, rate_states   store/rates.h.
inline constexpr const char* kVersion35 = R"sql(
CREATE TABLE rate_counts(
  account INTEGER NOT NULL, scope INTEGER NOT NULL, delivery INTEGER NOT NULL, name TEXT NOT NULL,
  hour INTEGER NOT NULL, answered INTEGER NOT NULL, delivered INTEGER NOT NULL,
  reporting INTEGER NOT NULL, hard INTEGER NOT NULL, unknown_users INTEGER NOT NULL,
  complained INTEGER NOT NULL, PRIMARY KEY(account, scope, delivery, name, hour)) WITHOUT ROWID;
CREATE INDEX rate_counts_hour ON rate_counts(hour);
CREATE TABLE rate_states(
  account INTEGER NOT NULL, scope INTEGER NOT NULL, delivery INTEGER NOT NULL, name TEXT NOT NULL,
  level INTEGER NOT NULL, since INTEGER NOT NULL, because TEXT NOT NULL, hour INTEGER NOT NULL,
  answered INTEGER NOT NULL, delivered INTEGER NOT NULL, reporting INTEGER NOT NULL,
  hard INTEGER NOT NULL, unknown_users INTEGER NOT NULL, complained INTEGER NOT NULL,
  PRIMARY KEY(account, scope, delivery, name)) WITHOUT ROWID;
CREATE INDEX rate_states_held ON rate_states(delivery, name) WHERE scope = 4 AND level = 2;
CREATE INDEX rate_states_level ON rate_states(level) WHERE level > 0;
CREATE INDEX rate_states_old ON rate_states(since) WHERE delivery > 0;
)sql";

// warm_up   store/warm_up.h.
inline constexpr const char* kVersion36 = R"sql(
CREATE TABLE warm_up(
  source TEXT NOT NULL, day INTEGER NOT NULL, site TEXT NOT NULL, taken INTEGER NOT NULL,
  PRIMARY KEY(source, day DESC, site)) WITHOUT ROWID;
)sql";

// probes   store/probes.h. due: NULL when it is over.
inline constexpr const char* kVersion37 = R"sql(
CREATE TABLE probes(
  token TEXT PRIMARY KEY, mailbox TEXT NOT NULL, asked INTEGER NOT NULL, due INTEGER,
  news BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX probes_asked ON probes(asked);
CREATE INDEX probes_mailbox ON probes(mailbox, asked);
CREATE INDEX probes_due ON probes(due) WHERE due IS NOT NULL;
)sql";

// opens.complained   store/opens.h: when its reader's provider told of a complaint.
inline constexpr const char* kVersion38 = R"sql(
ALTER TABLE opens ADD COLUMN complained INTEGER;
)sql";

// import_jobs.form, dry_run, findings   store/imports.h.
// import_jobs.dry_file  The upload of a dry run, whose upload_file is empty: a program of before
//                       knows no dry runs, and would import the list if it found its name.
inline constexpr const char* kVersion39 = R"sql(
ALTER TABLE import_jobs ADD COLUMN form INTEGER NOT NULL DEFAULT 0;
ALTER TABLE import_jobs ADD COLUMN dry_run INTEGER NOT NULL DEFAULT 0;
ALTER TABLE import_jobs ADD COLUMN findings TEXT NOT NULL DEFAULT '';
ALTER TABLE import_jobs ADD COLUMN dry_file TEXT NOT NULL DEFAULT '';
)sql";

// accounts.told_of_day, told_of_month   mark_of() in store/mail_counts.h: of what an account was
// told
//                                       last, of its limit a day and of that a month.
inline constexpr const char* kVersion40 = R"sql(
ALTER TABLE accounts ADD COLUMN told_of_day INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN told_of_month INTEGER NOT NULL DEFAULT 0;
)sql";

// contents.escaping, template, template_version   mail/content.h; template 0: from none.
// template_ids, templates, template_versions    store/templates.h. octets before content: adding
//                                               them up reads no content.
inline constexpr const char* kVersion41 = R"sql(
ALTER TABLE contents ADD COLUMN escaping INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contents ADD COLUMN template INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contents ADD COLUMN template_version INTEGER NOT NULL DEFAULT 0;
CREATE TABLE template_ids(
  account INTEGER PRIMARY KEY, last INTEGER NOT NULL, octets INTEGER NOT NULL);
CREATE TABLE templates(
  account INTEGER NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, latest INTEGER NOT NULL,
  created INTEGER NOT NULL, updated INTEGER NOT NULL, PRIMARY KEY(account, id)) WITHOUT ROWID;
CREATE UNIQUE INDEX templates_name ON templates(account, name);
CREATE TABLE template_versions(
  account INTEGER NOT NULL, template INTEGER NOT NULL, version INTEGER NOT NULL,
  created INTEGER NOT NULL, octets INTEGER NOT NULL, content BLOB NOT NULL,
  PRIMARY KEY(account, template, version));
)sql";

// accounts.sandbox, allowed_recipients   store/accounts.h.
inline constexpr const char* kVersion42 = R"sql(
ALTER TABLE accounts ADD COLUMN sandbox INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN allowed_recipients TEXT NOT NULL DEFAULT '';
)sql";

// steering   store/steering.h, steering_row.h: by delivery.
// resends    store/resends.h: delivery says once more what the recipient `email` was sent.
inline constexpr const char* kVersion43 = R"sql(
CREATE TABLE steering(
  delivery INTEGER PRIMARY KEY, revision INTEGER NOT NULL, mails INTEGER NOT NULL,
  minutes INTEGER NOT NULL, quiet_from INTEGER NOT NULL, quiet_until INTEGER NOT NULL,
  zone TEXT NOT NULL, goes_from INTEGER NOT NULL, goes_until INTEGER, used_to INTEGER NOT NULL);
CREATE TABLE resends(
  delivery INTEGER PRIMARY KEY, account INTEGER NOT NULL, email INTEGER NOT NULL);
CREATE INDEX resends_email ON resends(account, email);
)sql";

// people         store/people.h. account: 0 of operators. totp, totp_offered: sealed. totp_step:
//                the last one that was used. recovery: pack_recovery().
// sign_ins       token: its hash. half: the second factor is missing. acting_for: an account, or 0.
//                idle_ends: never later than ends, so who is over is found by it alone.
// sign_in_links  token: likewise. person: 0 of the first operator's.
// sign_in_rules  Of accounts that ask for something. networks: pack_networks().
// kept_texts     body last: the order of them reads none.
inline constexpr const char* kVersion44 = R"sql(
CREATE TABLE people(
  key INTEGER PRIMARY KEY, account INTEGER NOT NULL, email TEXT NOT NULL, name TEXT NOT NULL,
  role INTEGER NOT NULL, language TEXT NOT NULL, password_hash TEXT NOT NULL, totp BLOB NOT NULL,
  totp_offered BLOB NOT NULL, totp_step INTEGER NOT NULL, recovery BLOB NOT NULL,
  suspended INTEGER NOT NULL, created INTEGER NOT NULL, confirmed INTEGER, seen INTEGER);
CREATE UNIQUE INDEX people_email ON people(email);
CREATE INDEX people_account ON people(account);
CREATE TABLE sign_ins(
  key INTEGER PRIMARY KEY, person INTEGER NOT NULL, token TEXT NOT NULL, half INTEGER NOT NULL,
  acting_for INTEGER NOT NULL, created INTEGER NOT NULL, used INTEGER NOT NULL,
  idle_ends INTEGER NOT NULL, ends INTEGER NOT NULL, came_from TEXT NOT NULL, agent TEXT NOT NULL);
CREATE UNIQUE INDEX sign_ins_token ON sign_ins(token);
CREATE INDEX sign_ins_person ON sign_ins(person, used);
CREATE INDEX sign_ins_idle_ends ON sign_ins(idle_ends);
CREATE TABLE sign_in_links(
  token TEXT PRIMARY KEY, purpose INTEGER NOT NULL, person INTEGER NOT NULL,
  created INTEGER NOT NULL, ends INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX sign_in_links_person ON sign_in_links(person, purpose);
CREATE INDEX sign_in_links_ends ON sign_in_links(ends);
CREATE TABLE sign_in_rules(
  account INTEGER PRIMARY KEY, second_factor INTEGER NOT NULL, networks TEXT NOT NULL,
  approval INTEGER NOT NULL);
CREATE TABLE kept_texts(
  person INTEGER NOT NULL, place TEXT NOT NULL, kept INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY(person, place));
CREATE INDEX kept_texts_kept ON kept_texts(person, kept, place);
)sql";

// audit_account            Of one account, by key either way.
// kept_texts_age           Of all: what nobody has touched for long goes.
// api_keys.used, smtp_credentials.used   store/accounts.h: the hour, or NULL.
// people.stands_for        store/people.h.
inline constexpr const char* kVersion45 = R"sql(
CREATE INDEX audit_account ON audit(account, key);
CREATE INDEX kept_texts_age ON kept_texts(kept);
ALTER TABLE api_keys ADD COLUMN used INTEGER;
ALTER TABLE smtp_credentials ADD COLUMN used INTEGER;
ALTER TABLE people ADD COLUMN stands_for TEXT NOT NULL DEFAULT '';
)sql";

// approvals               store/approvals.h. state: 1 waits.
// api_keys.made_by        store/accounts.h: a person, or 0.
// import_jobs.asked_by, asked_person   store/imports.h.
inline constexpr const char* kVersion46 = R"sql(
CREATE TABLE approvals(
  delivery INTEGER PRIMARY KEY, account INTEGER NOT NULL, state INTEGER NOT NULL,
  revision INTEGER NOT NULL, asked_by TEXT NOT NULL, asked_person INTEGER NOT NULL,
  asked INTEGER NOT NULL, lapses INTEGER NOT NULL, decided_by TEXT NOT NULL,
  decided_person INTEGER NOT NULL, decided INTEGER, reason TEXT NOT NULL);
CREATE INDEX approvals_waiting ON approvals(account, lapses, delivery) WHERE state = 1;
ALTER TABLE api_keys ADD COLUMN made_by INTEGER NOT NULL DEFAULT 0;
ALTER TABLE import_jobs ADD COLUMN asked_by TEXT NOT NULL DEFAULT '';
ALTER TABLE import_jobs ADD COLUMN asked_person INTEGER NOT NULL DEFAULT 0;
)sql";

}  // namespace todoku::store::sqlite
