// SPDX-License-Identifier: Apache-2.0
// What each step of the schema says to PostgreSQL, and what its tables mean.
#pragma once

#include <string_view>

#include "store/postgres/stops_sql.h"

namespace todoku::store::postgres {

// Plain SQL that every PostgreSQL and its relatives carry: no extension, no sequence, no foreign
// key, no trigger; every number a bigint, every instant in milliseconds. Ids are made by the
// program (ids.h), keys are numbers of one line (store/numbers.h).
//
// What columns mean that SQLite's tables have too is said there (store/sqlite/schema_versions.h).
// Here besides:
//
// flights               A row for each transaction that changed something, for an hour: its token.
//                       Who does not know what became of a commit asks by inserting the same token,
//                       which waits for the transaction if it still runs; fenced: it came to
//                       nothing and never will (fate.h).
// numbers               What is given out in blocks.
// node_leases           Apart from nodes: whoever hands work to a node locks its row in nodes
//                       against its being made void, and that must not hold up its renewal.
// deliveries.phase      The status of what is or was a draft, NULL for mail that was accepted as a
//                       transaction. Indices go by it: the status of a transaction changes with
//                       its mail, and an index on it would cost every such change its place in the
//                       page (a HOT update).
// news                  Written and deleted within a second.
// batches.flight        The flight that leased it last.
// uploads               store/uploads.h: without a name until they are kept; of two kept at one
//                       moment under one name the later key has it. wanted: a job names it; gone:
//                       its pieces are being removed.
// bells                 store/bells.h. Each row is inserted, changed once when it is received, and
//                       deleted. ready_at: since when it is ready, or will be, unless it is hidden;
//                       hidden: until when its receiver alone has it. Half of each page is left for
//                       the changes, which touch no index and so stay in it.
// recipients.hash       Of the address (store/address_hash.h), for look-up.
//
// Pages keep room where rows change in place; tables whose rows change are vacuumed early.
inline constexpr std::string_view kStep1 = R"sql(
CREATE TABLE meta(name text PRIMARY KEY, value bytea NOT NULL);
CREATE TABLE settings(name text PRIMARY KEY, value bytea NOT NULL);
CREATE TABLE numbers(line bigint PRIMARY KEY, next bigint NOT NULL);
CREATE TABLE changes(topic bigint PRIMARY KEY, number bigint NOT NULL) WITH (fillfactor = 20);
CREATE TABLE flights(token bigint PRIMARY KEY, at bigint NOT NULL, fenced bigint NOT NULL)
  WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
CREATE INDEX flights_at ON flights(at);
CREATE TABLE accounts(
  key bigint PRIMARY KEY, name text NOT NULL UNIQUE, weight bigint NOT NULL,
  suspended bigint NOT NULL, text_from_html bigint NOT NULL, created bigint NOT NULL,
  next_delivery_id bigint NOT NULL, next_email_id bigint NOT NULL, next_job_id bigint NOT NULL)
  WITH (fillfactor = 70);
CREATE INDEX accounts_suspended ON accounts(key) WHERE suspended = 1;
CREATE TABLE api_keys(
  id bigint PRIMARY KEY, account bigint NOT NULL, label text NOT NULL,
  token text NOT NULL UNIQUE, created bigint NOT NULL, revoked bigint);
CREATE INDEX api_keys_account ON api_keys(account);
CREATE TABLE dkim_keys(
  account bigint NOT NULL, domain text NOT NULL COLLATE "C", selector text NOT NULL COLLATE "C",
  algorithm text NOT NULL, sealed bytea NOT NULL, dns_record text NOT NULL,
  created bigint NOT NULL, PRIMARY KEY(account, domain, selector));
CREATE TABLE nodes(
  key bigint PRIMARY KEY, name text NOT NULL, roles text NOT NULL, version text NOT NULL,
  entered bigint NOT NULL, void bigint NOT NULL);
CREATE TABLE node_leases(node bigint PRIMARY KEY, until bigint NOT NULL)
  WITH (fillfactor = 20, autovacuum_vacuum_threshold = 50, autovacuum_vacuum_scale_factor = 0);
CREATE TABLE leadership(
  id bigint PRIMARY KEY, node bigint NOT NULL, until bigint NOT NULL, token bigint NOT NULL)
  WITH (fillfactor = 20, autovacuum_vacuum_threshold = 50, autovacuum_vacuum_scale_factor = 0);
CREATE TABLE source_owners(
  source text COLLATE "C" PRIMARY KEY, node bigint NOT NULL, token bigint NOT NULL);
CREATE TABLE deliveries(
  key bigint PRIMARY KEY, account bigint NOT NULL, id bigint NOT NULL, type bigint NOT NULL,
  traffic bigint NOT NULL, status bigint NOT NULL, phase bigint, deleted bigint NOT NULL,
  at_most_once bigint NOT NULL, created bigint NOT NULL, updated bigint NOT NULL,
  reservation bigint, started bigint, expires bigint, finished bigint, agenda bigint,
  total bigint NOT NULL, delivered bigint NOT NULL, bounced bigint NOT NULL,
  dropped bigint NOT NULL, expired bigint NOT NULL, cancelled bigint NOT NULL,
  unknown bigint NOT NULL, deferred bigint NOT NULL, signing text NOT NULL,
  failure_reason text NOT NULL)
  WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
CREATE UNIQUE INDEX deliveries_public ON deliveries(account, id);
CREATE INDEX deliveries_newest ON deliveries(account, created, key) WHERE deleted = 0;
CREATE INDEX deliveries_started ON deliveries(account, (coalesce(started, 0)), key)
  WHERE deleted = 0;
CREATE INDEX deliveries_few ON deliveries(account, created, key)
  WHERE deleted = 0 AND phase IS NOT NULL;
CREATE INDEX deliveries_agenda ON deliveries(agenda) WHERE agenda IS NOT NULL;
CREATE INDEX deliveries_unstarted ON deliveries(account, type)
  WHERE phase <= 4 AND deleted = 0;
CREATE INDEX deliveries_sending ON deliveries(key)
  WHERE phase = 5 AND traffic = 1 AND deleted = 0;
CREATE INDEX deliveries_deleted ON deliveries(key) WHERE deleted = 1;
CREATE TABLE contents(
  delivery bigint PRIMARY KEY, from_address text NOT NULL, from_name text NOT NULL,
  reply_address text, reply_name text, header_to bytea NOT NULL, header_cc bytea NOT NULL,
  encode bigint NOT NULL, unsubscribe_mailto text NOT NULL, unsubscribe_url text NOT NULL,
  attachments bigint NOT NULL, subject text NOT NULL, text_part text NOT NULL,
  html_part text NOT NULL, text_from_html bigint NOT NULL);
CREATE TABLE attachments(
  id bigint PRIMARY KEY, delivery bigint NOT NULL, file_name text NOT NULL,
  mime_type text NOT NULL, size bigint NOT NULL, created bigint NOT NULL, data bytea NOT NULL);
CREATE INDEX attachments_delivery ON attachments(delivery, id);
ALTER TABLE attachments ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE sections(
  id bigint PRIMARY KEY, delivery bigint NOT NULL, state bigint NOT NULL, open_batch bigint)
  WITH (fillfactor = 70);
CREATE INDEX sections_delivery ON sections(delivery, state);
CREATE INDEX sections_discarded ON sections(id) WHERE state = 3;
CREATE TABLE batches(
  number bigint PRIMARY KEY, delivery bigint NOT NULL, account bigint NOT NULL, section bigint,
  traffic bigint NOT NULL, domain text NOT NULL COLLATE "C", first_email_id bigint NOT NULL,
  capacity bigint NOT NULL, size bigint NOT NULL, removed bigint NOT NULL, open bigint NOT NULL,
  created bigint NOT NULL, ready_at bigint, token bigint NOT NULL, holder bigint NOT NULL,
  losses bigint NOT NULL, alone bigint, begun bigint NOT NULL, flight bigint)
  WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
CREATE INDEX batches_email ON batches(account, first_email_id);
CREATE INDEX batches_held ON batches(holder) WHERE holder <> 0;
CREATE INDEX batches_ready ON batches(ready_at) WHERE traffic = 0 AND ready_at IS NOT NULL;
CREATE INDEX batches_urgent ON batches(domain, ready_at, number)
  WHERE traffic = 0 AND ready_at IS NOT NULL;
CREATE INDEX batches_of_section ON batches(section, number) WHERE section IS NOT NULL;
CREATE INDEX batches_section ON batches(section, domain, ready_at, number)
  WHERE section IS NOT NULL AND ready_at IS NOT NULL;
CREATE INDEX batches_waiting ON batches(section, ready_at)
  WHERE section IS NOT NULL AND ready_at IS NOT NULL;
CREATE TABLE recipients(
  batch bigint NOT NULL, seq bigint NOT NULL, address text NOT NULL, hash bigint NOT NULL,
  codes bytea, created bigint, updated bigint, PRIMARY KEY(batch, seq));
CREATE INDEX recipients_hash ON recipients(hash, batch, seq);
CREATE TABLE progress(
  batch bigint NOT NULL, seq bigint NOT NULL, state bigint NOT NULL, attempts bigint NOT NULL,
  due bigint, history bytea NOT NULL, PRIMARY KEY(batch, seq))
  WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
CREATE TABLE suspects(
  batch bigint NOT NULL, seq bigint NOT NULL, deaths bigint NOT NULL, aside bigint,
  PRIMARY KEY(batch, seq));
CREATE INDEX suspects_aside ON suspects(aside) WHERE aside IS NOT NULL;
CREATE TABLE on_its_way(batch bigint NOT NULL, seq bigint NOT NULL, PRIMARY KEY(batch, seq));
CREATE TABLE import_jobs(
  account bigint NOT NULL, id bigint NOT NULL, delivery bigint NOT NULL, section bigint NOT NULL,
  status bigint NOT NULL, ignore_errors bigint NOT NULL, immediate bigint NOT NULL,
  keep_duplicates bigint NOT NULL, language bigint NOT NULL, percentage bigint NOT NULL,
  staged bigint NOT NULL, folded bigint NOT NULL, success bigint NOT NULL, failed bigint NOT NULL,
  total bigint NOT NULL, upload_file text NOT NULL, error_file text NOT NULL,
  created bigint NOT NULL, node bigint NOT NULL, PRIMARY KEY(account, id))
  WITH (fillfactor = 50);
CREATE INDEX import_jobs_delivery ON import_jobs(delivery);
CREATE INDEX import_jobs_running ON import_jobs(status) WHERE status = 1;
CREATE TABLE uploads(
  key bigint PRIMARY KEY, name text, node bigint NOT NULL, octets bigint NOT NULL,
  pieces bigint NOT NULL, touched bigint NOT NULL, wanted bigint NOT NULL, gone bigint NOT NULL)
  WITH (fillfactor = 50);
CREATE INDEX uploads_name ON uploads(name);
CREATE INDEX uploads_unnamed ON uploads(key) WHERE wanted = 0 AND gone = 0;
CREATE INDEX uploads_gone ON uploads(key) WHERE gone = 1;
CREATE TABLE upload_pieces(
  upload bigint NOT NULL, which bigint NOT NULL, data bytea NOT NULL, PRIMARY KEY(upload, which));
ALTER TABLE upload_pieces ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE bells(
  source text NOT NULL COLLATE "C", traffic bigint NOT NULL, delivery bigint NOT NULL,
  batch bigint NOT NULL, ready_at bigint NOT NULL, hidden bigint NOT NULL, times bigint NOT NULL,
  reception bigint, PRIMARY KEY(delivery, batch, source, traffic))
  WITH (fillfactor = 50, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0.1,
  autovacuum_vacuum_cost_delay = 0);
CREATE INDEX bells_order ON bells(source, traffic, ready_at);
CREATE TABLE news(
  key bigint PRIMARY KEY, at bigint NOT NULL, teller bigint NOT NULL, body bytea NOT NULL)
  WITH (autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_cost_delay = 1);
CREATE INDEX news_at ON news(at);
INSERT INTO numbers VALUES(0, 1);
INSERT INTO meta VALUES('address_secret', uuid_send(gen_random_uuid()));
INSERT INTO meta VALUES('entering', '');
INSERT INTO leadership VALUES(1, 0, 0, 0);
)sql";

// api_keys.scopes, networks, expires, life   store/accounts.h.
inline constexpr std::string_view kStep2 = R"sql(
ALTER TABLE api_keys ADD COLUMN scopes bigint NOT NULL DEFAULT 15,
  ADD COLUMN networks text NOT NULL DEFAULT '', ADD COLUMN expires bigint, ADD COLUMN life bigint;
)sql";

// nodes.settings        What a process goes by of what must be the same in all (store/nodes.h).
// nodes.sources         From what it could send, a name a line.
inline constexpr std::string_view kStep3 = R"sql(
ALTER TABLE nodes ADD COLUMN settings text NOT NULL DEFAULT '';
ALTER TABLE nodes ADD COLUMN sources text NOT NULL DEFAULT '';
)sql";

// kept_answers          store/idempotency.h. The key first: it is different for each.
inline constexpr std::string_view kStep4 = R"sql(
CREATE TABLE kept_answers(
  key bytea NOT NULL, account bigint NOT NULL, route bigint NOT NULL, fingerprint bytea NOT NULL,
  answer bigint NOT NULL, until bigint NOT NULL, PRIMARY KEY(key, account, route))
  WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
CREATE INDEX kept_answers_until ON kept_answers(until);
)sql";

// event_sheets          store/event_sheet.h. place: generation and transaction in one number
//                       (docs/adr/0014). Rows are only ever added at the end and deleted from the
//                       beginning.
// numbers               line 1: the generation of events; line 2: the place of the last sheet that
//                       was deleted.
inline constexpr std::string_view kStep5 = R"sql(
CREATE TABLE event_sheets(
  account bigint NOT NULL, place bigint NOT NULL, at bigint NOT NULL, entries bytea NOT NULL,
  PRIMARY KEY(account, place));
CREATE INDEX event_sheets_place ON event_sheets(place);
INSERT INTO numbers VALUES(1, 0), (2, 0);
)sql";

// not_sent, batches_log, deliveries_late, usages   store/sqlite/schema_versions.h.
// usages.slot           So that those who accept mail at once do not wait for each other's row.
inline constexpr std::string_view kStep6 = R"sql(
CREATE TABLE not_sent(
  account bigint NOT NULL, state bigint NOT NULL, id bigint NOT NULL, code bigint NOT NULL,
  PRIMARY KEY(account, state, id))
  WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
CREATE INDEX not_sent_code ON not_sent(account, code, id);
INSERT INTO not_sent(account, state, id, code)
  SELECT b.account, p.state, b.first_email_id + p.seq, 0 FROM progress p
  JOIN batches b ON b.number = p.batch WHERE p.state NOT IN (0, 2);
CREATE INDEX batches_log ON batches(section, first_email_id, capacity) WHERE section IS NOT NULL;
CREATE INDEX deliveries_late ON deliveries(account, started)
  WHERE started > created + 60000 AND deleted = 0;
CREATE TABLE usages(
  account bigint NOT NULL, month bigint NOT NULL, slot bigint NOT NULL, mails bigint NOT NULL,
  updated bigint NOT NULL, PRIMARY KEY(account, month, slot))
  WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 1);
INSERT INTO usages(account, month, slot, mails, updated)
  SELECT account,
  to_char(to_timestamp(started / 1000 + 32400) AT TIME ZONE 'UTC', 'YYYYMM')::bigint, 0,
  sum(total)::bigint, max(started) FROM deliveries WHERE started IS NOT NULL GROUP BY 1, 2;
)sql";

// domains, mail_counts, limits of accounts   as in SQLite.
inline constexpr std::string_view kStep7 = R"sql(
CREATE TABLE domains(
  account bigint NOT NULL, domain text NOT NULL COLLATE "C", token text NOT NULL,
  state bigint NOT NULL, vouched bigint NOT NULL, consents text NOT NULL, created bigint NOT NULL,
  proven bigint, answered bigint, failing bigint, failed_for bigint NOT NULL, look_at bigint,
  PRIMARY KEY(account, domain)) WITH (fillfactor = 70);
CREATE INDEX domains_held ON domains(domain) WHERE state = 1;
CREATE INDEX domains_proven ON domains(account, domain) WHERE state = 1;
CREATE INDEX domains_look ON domains(look_at) WHERE look_at IS NOT NULL;
INSERT INTO domains SELECT account, domain, '', 1, 1, '', min(created), min(created), NULL, NULL,
  0, NULL FROM dkim_keys GROUP BY account, domain;
CREATE TABLE mail_counts(
  account bigint NOT NULL, day bigint NOT NULL, node bigint NOT NULL, mails bigint NOT NULL,
  PRIMARY KEY(account, day, node)) WITH (fillfactor = 50);
CREATE INDEX mail_counts_day ON mail_counts(day);
ALTER TABLE accounts ADD COLUMN requests_per_minute bigint NOT NULL DEFAULT 0,
  ADD COLUMN mails_per_minute bigint NOT NULL DEFAULT 0,
  ADD COLUMN mails_per_day bigint NOT NULL DEFAULT 0,
  ADD COLUMN mails_per_month bigint NOT NULL DEFAULT 0;
)sql";

// suppressions.hash     Of its subject, as recipients.hash of an address.
// suppressions.domain   It is of a whole domain.
inline constexpr std::string_view kStep8 = R"sql(
ALTER TABLE deliveries ADD COLUMN purpose bigint NOT NULL DEFAULT 0,
  ADD COLUMN list_id text NOT NULL DEFAULT '', ADD COLUMN tags text NOT NULL DEFAULT '';
CREATE TABLE suppressions(
  hash bigint NOT NULL, account bigint NOT NULL, subject text NOT NULL COLLATE "C",
  reason bigint NOT NULL, list_id text NOT NULL COLLATE "C", scope bigint NOT NULL,
  stopping bigint NOT NULL, errors bigint NOT NULL, note text NOT NULL, code bigint NOT NULL,
  words text NOT NULL, error_at bigint, delivery bigint NOT NULL, email bigint NOT NULL,
  expires bigint, created bigint NOT NULL, updated bigint NOT NULL, domain bigint NOT NULL,
  PRIMARY KEY(hash, account, reason, list_id, subject));
CREATE INDEX suppressions_created ON suppressions(account, created, hash, reason, list_id);
CREATE INDEX suppressions_errors ON suppressions(account, updated, hash)
  WHERE reason = 1 AND stopping = 1;
CREATE INDEX suppressions_updated ON suppressions(updated);
CREATE INDEX suppressions_expires ON suppressions(expires) WHERE expires IS NOT NULL;
CREATE INDEX suppressions_domains ON suppressions(subject, account) WHERE domain = 1;
CREATE TABLE suppression_removals(
  key bigint PRIMARY KEY, account bigint NOT NULL, subject text NOT NULL COLLATE "C",
  reason bigint NOT NULL, list_id text NOT NULL, why text NOT NULL, actor text NOT NULL,
  at bigint NOT NULL);
CREATE INDEX suppression_removals_subject ON suppression_removals(account, subject, key);
CREATE TABLE export_jobs(
  account bigint NOT NULL, id bigint NOT NULL, kind bigint NOT NULL, parameters text NOT NULL,
  language bigint NOT NULL, status bigint NOT NULL, percentage bigint NOT NULL,
  total bigint NOT NULL, file text NOT NULL, node bigint NOT NULL, created bigint NOT NULL,
  ended bigint, PRIMARY KEY(account, id)) WITH (fillfactor = 50);
CREATE INDEX export_jobs_running ON export_jobs(created) WHERE status = 1;
CREATE INDEX export_jobs_of_account ON export_jobs(account) WHERE status = 1;
CREATE INDEX export_jobs_ended ON export_jobs(ended) WHERE ended IS NOT NULL;
)sql" DROP_STOPPED_FUNCTION_1;

// opens, open_counts, open_tracking   as in SQLite.
inline constexpr std::string_view kStep9 = R"sql(
CREATE TABLE opens(
  account bigint NOT NULL, id bigint NOT NULL, opened bigint, opened_last bigint,
  times bigint NOT NULL, prefetched bigint, prefetched_last bigint, PRIMARY KEY(account, id))
  WITH (fillfactor = 80);
CREATE TABLE open_counts(
  delivery bigint PRIMARY KEY, opened bigint NOT NULL, prefetched bigint NOT NULL)
  WITH (fillfactor = 50);
ALTER TABLE accounts ADD COLUMN open_tracking bigint NOT NULL DEFAULT 1;
ALTER TABLE contents ADD COLUMN open_tracking bigint NOT NULL DEFAULT 0;
)sql";

// contents.headers, deliveries.life, course, deliveries_held   store/sqlite/schema_versions.h.
inline constexpr std::string_view kStep10 = R"sql(
ALTER TABLE contents ADD COLUMN headers bytea NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN life bigint, ADD COLUMN course bigint NOT NULL DEFAULT 0;
CREATE INDEX deliveries_held ON deliveries(key) WHERE course BETWEEN 1 AND 2 AND deleted = 0;
)sql" DROP_STOPPED_FUNCTION_2;

// webhooks              store/webhooks.h. Its row changes each second while there is much to tell.
inline constexpr std::string_view kStep11 = R"sql(
CREATE TABLE webhooks(
  name text COLLATE "C" PRIMARY KEY, account bigint NOT NULL, form bigint NOT NULL,
  status bigint NOT NULL, shown text NOT NULL, sealed bytea NOT NULL, wishes bytea NOT NULL,
  state bytea NOT NULL, node bigint NOT NULL, turn bigint NOT NULL, created bigint NOT NULL,
  changed bigint NOT NULL)
  WITH (fillfactor = 50, autovacuum_vacuum_threshold = 50, autovacuum_vacuum_scale_factor = 0.1);
CREATE INDEX webhooks_account ON webhooks(account, created, name);
CREATE INDEX webhooks_told ON webhooks(name) WHERE status <> 3;
CREATE TABLE webhook_set_aside(
  webhook text COLLATE "C" NOT NULL, event text COLLATE "C" NOT NULL, at bigint NOT NULL,
  PRIMARY KEY(webhook, event));
CREATE TABLE webhook_calls(webhook text COLLATE "C" PRIMARY KEY, calls bytea NOT NULL);
)sql";

// attachments.content_id   store/sqlite/schema_versions.h.
inline constexpr std::string_view kStep12 = R"sql(
ALTER TABLE attachments ADD COLUMN content_id text NOT NULL DEFAULT '';
)sql";

// contents.envelope, smtp_credentials   store/sqlite/schema_versions.h.
inline constexpr std::string_view kStep13 = R"sql(
ALTER TABLE contents ADD COLUMN envelope bytea NOT NULL DEFAULT '';
CREATE TABLE smtp_credentials(
  name text COLLATE "C" PRIMARY KEY, account bigint NOT NULL, settings bytea NOT NULL,
  secret text NOT NULL, previous_secret text NOT NULL, previous_until bigint,
  created bigint NOT NULL, revoked bigint, uid bigint);
CREATE INDEX smtp_credentials_account ON smtp_credentials(account, name);
CREATE UNIQUE INDEX smtp_credentials_uid ON smtp_credentials(uid)
  WHERE uid IS NOT NULL AND revoked IS NULL;
)sql";

// relayed, relayed_pieces, attachments.relayed   store/sqlite/schema_versions.h.
inline constexpr std::string_view kStep14 = R"sql(
CREATE TABLE relayed(
  key bigint PRIMARY KEY, node bigint NOT NULL, octets bigint NOT NULL, pieces bigint NOT NULL,
  touched bigint NOT NULL, delivery bigint NOT NULL, gone bigint NOT NULL)
  WITH (fillfactor = 50);
CREATE INDEX relayed_unnamed ON relayed(key) WHERE delivery = 0 AND gone = 0;
CREATE INDEX relayed_gone ON relayed(key) WHERE gone = 1;
CREATE TABLE relayed_pieces(
  relayed bigint NOT NULL, which bigint NOT NULL, data bytea NOT NULL,
  PRIMARY KEY(relayed, which));
ALTER TABLE relayed_pieces ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER TABLE attachments ADD COLUMN relayed bigint NOT NULL DEFAULT 0;
)sql";

// batches.underway, doubted, lost_at, late_until   store/sqlite/schema_versions.h.
inline constexpr std::string_view kStep15 = R"sql(
ALTER TABLE batches ADD COLUMN underway bigint NOT NULL DEFAULT 0,
  ADD COLUMN doubted bigint NOT NULL DEFAULT 0, ADD COLUMN lost_at bigint,
  ADD COLUMN late_until bigint;
UPDATE batches SET underway = -1 WHERE holder <> 0;
UPDATE batches SET doubted = -1, lost_at = (extract(epoch FROM now()) * 1000)::bigint
  WHERE losses > 0;
)sql";

// event_readers   store/event_readers.h. Its row changes each second while there is something.
inline constexpr std::string_view kStep16 = R"sql(
CREATE TABLE event_readers(
  name text COLLATE "C" PRIMARY KEY, node bigint NOT NULL, state bytea NOT NULL)
  WITH (fillfactor = 50, autovacuum_vacuum_threshold = 50, autovacuum_vacuum_scale_factor = 0.1);
)sql";

// smtp_credentials.held, held_because, released, smtp_habits, deliveries.credential
//                         store/sqlite/schema_versions.h.
inline constexpr std::string_view kStep17 = R"sql(
ALTER TABLE smtp_credentials ADD COLUMN held bigint,
  ADD COLUMN held_because text NOT NULL DEFAULT '', ADD COLUMN released bigint;
CREATE INDEX smtp_credentials_held ON smtp_credentials(name) WHERE held IS NOT NULL;
CREATE TABLE smtp_habits(name text COLLATE "C" PRIMARY KEY, habits bytea NOT NULL)
  WITH (fillfactor = 50);
ALTER TABLE deliveries ADD COLUMN credential text COLLATE "C";
)sql";

// audit                 store/sqlite/schema_versions.h.
// todoku_drop_stopped_3   Knows entries whose subject was erased.
inline constexpr std::string_view kStep18 = R"sql(
CREATE TABLE audit(
  key bigint PRIMARY KEY, at bigint NOT NULL, actor text NOT NULL, action text NOT NULL,
  account bigint NOT NULL, delivery bigint NOT NULL, email bigint NOT NULL, hash bigint NOT NULL,
  origin text NOT NULL);
CREATE INDEX audit_at ON audit(at);
CREATE INDEX audit_hash ON audit(hash, key) WHERE hash <> 0;
)sql" DROP_STOPPED_FUNCTION_3;

// domain_counts, sections.domains, accounts.preflight, contents.one_click
//                         store/sqlite/schema_versions.h. While a list is added to, its rows change
//                         often.
inline constexpr std::string_view kStep19 = R"sql(
CREATE TABLE domain_counts(
  section bigint NOT NULL, domain text COLLATE "C" NOT NULL, recipients bigint NOT NULL,
  PRIMARY KEY(section, domain)) WITH (fillfactor = 50);
ALTER TABLE sections ADD COLUMN domains bigint NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN preflight bigint NOT NULL DEFAULT 1;
ALTER TABLE contents ADD COLUMN one_click bigint NOT NULL DEFAULT 0;
UPDATE contents SET one_click = 1 WHERE unsubscribe_url ILIKE 'https:%'
  AND delivery IN (SELECT key FROM deliveries WHERE status = 5);
)sql";

// domain_reports, report_lines   store/domain_reports.h.
inline constexpr std::string_view kStep20 = R"sql(
CREATE TABLE domain_reports(
  account bigint NOT NULL, domain text NOT NULL, day bigint NOT NULL, id bytea NOT NULL,
  kind bigint NOT NULL, organization text NOT NULL, reported text NOT NULL, policy text NOT NULL,
  begins bigint NOT NULL, ends bigint NOT NULL, messages bigint NOT NULL, received bigint NOT NULL,
  PRIMARY KEY(account, domain, day, id));
CREATE INDEX domain_reports_day ON domain_reports(day);
CREATE TABLE report_lines(
  account bigint NOT NULL, domain text NOT NULL, day bigint NOT NULL, words bytea NOT NULL,
  messages bigint NOT NULL, failed bigint NOT NULL, PRIMARY KEY(account, domain, day, words));
CREATE INDEX report_lines_day ON report_lines(day);
)sql";

// domains.check_at, check_found   store/sqlite/schema_versions.h.
inline constexpr std::string_view kStep21 = R"sql(
ALTER TABLE domains ADD COLUMN check_at bigint,
  ADD COLUMN check_found bytea NOT NULL DEFAULT '';
CREATE INDEX domains_check ON domains((coalesce(check_at, 0))) WHERE state = 1;
)sql";

// sts_policies, tls_counts   store/receiver_tls.h.
inline constexpr std::string_view kStep22 = R"sql(
CREATE TABLE sts_policies(
  domain text COLLATE "C" PRIMARY KEY, id text NOT NULL, policy text NOT NULL,
  fetched bigint NOT NULL, expires bigint NOT NULL);
CREATE INDEX sts_policies_expires ON sts_policies(expires);
CREATE TABLE tls_counts(
  day bigint NOT NULL, domain text COLLATE "C" NOT NULL, policy bigint NOT NULL,
  result bigint NOT NULL, attempts bigint NOT NULL, PRIMARY KEY(day, domain, policy, result))
  WITH (fillfactor = 50);
)sql";

// key_slots   store/key_slots.h.
inline constexpr std::string_view kStep23 = R"sql(
CREATE TABLE key_slots(
  account bigint NOT NULL, domain text COLLATE "C" NOT NULL, revision bigint NOT NULL, look bigint,
  state bytea NOT NULL, PRIMARY KEY(account, domain)) WITH (fillfactor = 50);
CREATE INDEX key_slots_look ON key_slots(look) WHERE look IS NOT NULL;
)sql";

// delivery_outcomes, hourly_outcomes   store/outcome_counts.h. Their rows change often.
inline constexpr std::string_view kStep24 = R"sql(
CREATE TABLE delivery_outcomes(
  delivery bigint NOT NULL, site text COLLATE "C" NOT NULL, state bigint NOT NULL,
  cause bigint NOT NULL, mails bigint NOT NULL, sample bigint NOT NULL,
  PRIMARY KEY(delivery, site, state, cause)) WITH (fillfactor = 50);
CREATE TABLE hourly_outcomes(
  account bigint NOT NULL, hour bigint NOT NULL, slot bigint NOT NULL,
  site text COLLATE "C" NOT NULL, state bigint NOT NULL, cause bigint NOT NULL,
  mails bigint NOT NULL, sample bigint NOT NULL,
  PRIMARY KEY(account, hour, slot, site, state, cause)) WITH (fillfactor = 50);
CREATE INDEX hourly_outcomes_hour ON hourly_outcomes(hour);
)sql";

// lane_paces   store/lane_paces.h. Its rows are written again and again.
inline constexpr std::string_view kStep25 = R"sql(
CREATE TABLE lane_paces(
  source text COLLATE "C" NOT NULL, site text COLLATE "C" NOT NULL, noted bigint NOT NULL,
  kept_until bigint NOT NULL, pace bigint NOT NULL, connections bigint NOT NULL,
  pace_limit bigint NOT NULL, reason bigint NOT NULL, latency_floor bigint NOT NULL,
  latency bigint NOT NULL, since bigint NOT NULL, rests_until bigint, eases_at bigint,
  ceiling bigint NOT NULL, connections_open bigint NOT NULL, connections_max bigint NOT NULL,
  waiting bigint NOT NULL, PRIMARY KEY(source, site)) WITH (fillfactor = 50);
CREATE INDEX lane_paces_noted ON lane_paces(noted);
CREATE INDEX lane_paces_kept ON lane_paces(kept_until);
)sql";

// rate_counts, rate_states   store/rates.h. A handful of rows are changed again and again.
inline constexpr std::string_view kStep26 = R"sql(
CREATE TABLE rate_counts(
  account bigint NOT NULL, scope bigint NOT NULL, delivery bigint NOT NULL,
  name text COLLATE "C" NOT NULL, hour bigint NOT NULL, answered bigint NOT NULL,
  delivered bigint NOT NULL, reporting bigint NOT NULL, hard bigint NOT NULL,
  unknown_users bigint NOT NULL, complained bigint NOT NULL,
  PRIMARY KEY(account, scope, delivery, name, hour)) WITH (fillfactor = 50);
CREATE INDEX rate_counts_hour ON rate_counts(hour);
CREATE TABLE rate_states(
  account bigint NOT NULL, scope bigint NOT NULL, delivery bigint NOT NULL,
  name text COLLATE "C" NOT NULL, level bigint NOT NULL, since bigint NOT NULL,
  because text NOT NULL, hour bigint NOT NULL, answered bigint NOT NULL, delivered bigint NOT NULL,
  reporting bigint NOT NULL, hard bigint NOT NULL, unknown_users bigint NOT NULL,
  complained bigint NOT NULL, PRIMARY KEY(account, scope, delivery, name));
CREATE INDEX rate_states_held ON rate_states(delivery, name) WHERE scope = 4 AND level = 2;
CREATE INDEX rate_states_level ON rate_states(level) WHERE level > 0;
CREATE INDEX rate_states_old ON rate_states(since) WHERE delivery > 0;
)sql";

// warm_up   store/warm_up.h. A handful of rows are changed again and again.
inline constexpr std::string_view kStep27 = R"sql(
CREATE TABLE warm_up(
  source text COLLATE "C" NOT NULL, day bigint NOT NULL, site text COLLATE "C" NOT NULL,
  taken bigint NOT NULL, PRIMARY KEY(source, day, site)) WITH (fillfactor = 50);
)sql";

inline constexpr std::string_view kStep28 = R"sql(
CREATE TABLE probes(
  token text COLLATE "C" PRIMARY KEY, mailbox text COLLATE "C" NOT NULL, asked bigint NOT NULL,
  due bigint, news bytea NOT NULL);
CREATE INDEX probes_asked ON probes(asked);
CREATE INDEX probes_mailbox ON probes(mailbox, asked);
CREATE INDEX probes_due ON probes(due) WHERE due IS NOT NULL;
)sql";

// opens.complained   as in SQLite.
inline constexpr std::string_view kStep29 = R"sql(
ALTER TABLE opens ADD COLUMN complained bigint;
)sql";

// import_jobs.form, dry_run, findings   store/imports.h.
// import_jobs.dry_file   as in SQLite; a node of the version before ends such a job with an error.
inline constexpr std::string_view kStep30 = R"sql(
ALTER TABLE import_jobs ADD COLUMN form bigint NOT NULL DEFAULT 0,
  ADD COLUMN dry_run bigint NOT NULL DEFAULT 0, ADD COLUMN findings text NOT NULL DEFAULT '',
  ADD COLUMN dry_file text NOT NULL DEFAULT '';
)sql";

// accounts.told_of_day, told_of_month   as in SQLite.
inline constexpr std::string_view kStep31 = R"sql(
ALTER TABLE accounts ADD COLUMN told_of_day bigint NOT NULL DEFAULT 0,
  ADD COLUMN told_of_month bigint NOT NULL DEFAULT 0;
)sql";

// contents.escaping, template, template_version; template_ids, templates, template_versions
// as in SQLite. The row of template_ids is what writers of an account wait for each other at.
inline constexpr std::string_view kStep32 = R"sql(
ALTER TABLE contents ADD COLUMN escaping bigint NOT NULL DEFAULT 0,
  ADD COLUMN template bigint NOT NULL DEFAULT 0,
  ADD COLUMN template_version bigint NOT NULL DEFAULT 0;
CREATE TABLE template_ids(
  account bigint PRIMARY KEY, last bigint NOT NULL, octets bigint NOT NULL);
CREATE TABLE templates(
  account bigint NOT NULL, id bigint NOT NULL, name text COLLATE "C" NOT NULL,
  latest bigint NOT NULL, created bigint NOT NULL, updated bigint NOT NULL,
  PRIMARY KEY(account, id));
CREATE UNIQUE INDEX templates_name ON templates(account, name);
CREATE TABLE template_versions(
  account bigint NOT NULL, template bigint NOT NULL, version bigint NOT NULL,
  created bigint NOT NULL, octets bigint NOT NULL, content bytea NOT NULL,
  PRIMARY KEY(account, template, version));
)sql";

// accounts.sandbox, allowed_recipients   as in SQLite.
inline constexpr std::string_view kStep33 = R"sql(
ALTER TABLE accounts ADD COLUMN sandbox bigint NOT NULL DEFAULT 0,
  ADD COLUMN allowed_recipients text NOT NULL DEFAULT '';
)sql";

// steering, resends   as in SQLite. A node of the version before begins nothing that a row of these
// says not to be begun only where one of this version leads: replace all of them.
inline constexpr std::string_view kStep34 = R"sql(
CREATE TABLE steering(
  delivery bigint PRIMARY KEY, revision bigint NOT NULL, mails bigint NOT NULL,
  minutes bigint NOT NULL, quiet_from bigint NOT NULL, quiet_until bigint NOT NULL,
  zone text COLLATE "C" NOT NULL, goes_from bigint NOT NULL, goes_until bigint,
  used_to bigint NOT NULL) WITH (fillfactor = 50);
CREATE TABLE resends(
  delivery bigint PRIMARY KEY, account bigint NOT NULL, email bigint NOT NULL);
CREATE INDEX resends_email ON resends(account, email);
)sql";

// recipient_marks   store/postgres/marks.h. A table of its own: who is found by his address alone
// has no row in it, and none of those that are there need be looked at.
inline constexpr std::string_view kStep35 = R"sql(
CREATE TABLE recipient_marks(
  batch bigint NOT NULL, seq bigint NOT NULL, reference bigint, message_id bigint,
  PRIMARY KEY(batch, seq));
CREATE INDEX recipient_marks_reference ON recipient_marks(reference, batch, seq)
  WHERE reference IS NOT NULL;
CREATE INDEX recipient_marks_message_id ON recipient_marks(message_id, batch, seq)
  WHERE message_id IS NOT NULL;
)sql";

// people, sign_ins, sign_in_links, sign_in_rules, kept_texts   as in SQLite.
// meta 'people'   What those wait for each other at who change who is there (store/people.h).
inline constexpr std::string_view kStep36 = R"sql(
CREATE TABLE people(
  key bigint PRIMARY KEY, account bigint NOT NULL, email text COLLATE "C" NOT NULL,
  name text NOT NULL, role bigint NOT NULL, language text NOT NULL, password_hash text NOT NULL,
  totp bytea NOT NULL, totp_offered bytea NOT NULL, totp_step bigint NOT NULL,
  recovery bytea NOT NULL, suspended bigint NOT NULL, created bigint NOT NULL, confirmed bigint,
  seen bigint) WITH (fillfactor = 70);
CREATE UNIQUE INDEX people_email ON people(email);
CREATE INDEX people_account ON people(account, key);
CREATE TABLE sign_ins(
  key bigint PRIMARY KEY, person bigint NOT NULL, token text COLLATE "C" NOT NULL,
  half bigint NOT NULL, acting_for bigint NOT NULL, created bigint NOT NULL, used bigint NOT NULL,
  idle_ends bigint NOT NULL, ends bigint NOT NULL, came_from text NOT NULL, agent text NOT NULL);
CREATE UNIQUE INDEX sign_ins_token ON sign_ins(token);
CREATE INDEX sign_ins_person ON sign_ins(person, used, key);
CREATE INDEX sign_ins_idle_ends ON sign_ins(idle_ends);
CREATE TABLE sign_in_links(
  token text COLLATE "C" PRIMARY KEY, purpose bigint NOT NULL, person bigint NOT NULL,
  created bigint NOT NULL, ends bigint NOT NULL);
CREATE INDEX sign_in_links_person ON sign_in_links(person, purpose);
CREATE INDEX sign_in_links_ends ON sign_in_links(ends);
CREATE TABLE sign_in_rules(
  account bigint PRIMARY KEY, second_factor bigint NOT NULL, networks text NOT NULL,
  approval bigint NOT NULL);
CREATE TABLE kept_texts(
  person bigint NOT NULL, place text COLLATE "C" NOT NULL, kept bigint NOT NULL,
  body text NOT NULL, PRIMARY KEY(person, place));
CREATE INDEX kept_texts_kept ON kept_texts(person, kept, place);
INSERT INTO meta VALUES('people', '');
)sql";

// audit_account, kept_texts_age, api_keys.used, smtp_credentials.used, people.stands_for   as in
// SQLite.
inline constexpr std::string_view kStep37 = R"sql(
CREATE INDEX audit_account ON audit(account, key);
CREATE INDEX kept_texts_age ON kept_texts(kept);
ALTER TABLE api_keys ADD COLUMN used bigint;
ALTER TABLE smtp_credentials ADD COLUMN used bigint;
ALTER TABLE people ADD COLUMN stands_for text NOT NULL DEFAULT '';
)sql";

// approvals, api_keys.made_by, import_jobs.asked_by, asked_person   as in SQLite.
inline constexpr std::string_view kStep38 = R"sql(
CREATE TABLE approvals(
  delivery bigint PRIMARY KEY, account bigint NOT NULL, state bigint NOT NULL,
  revision bigint NOT NULL, asked_by text NOT NULL, asked_person bigint NOT NULL,
  asked bigint NOT NULL, lapses bigint NOT NULL, decided_by text NOT NULL,
  decided_person bigint NOT NULL, decided bigint, reason text NOT NULL);
CREATE INDEX approvals_waiting ON approvals(account, lapses, delivery) WHERE state = 1;
ALTER TABLE api_keys ADD COLUMN made_by bigint NOT NULL DEFAULT 0;
ALTER TABLE import_jobs ADD COLUMN asked_by text NOT NULL DEFAULT '',
  ADD COLUMN asked_person bigint NOT NULL DEFAULT 0;
)sql";

}  // namespace todoku::store::postgres
