// SPDX-License-Identifier: Apache-2.0
// The statement that drops whom a list stops, as a function of the database: it is long, a commit
// needs it each time, and to parse and plan it takes longer than all else of an accept. A
// function's plan is kept by each connection of the server, also behind a pooler.
//
// Databases keep the function of the step that made it: whoever changes the statement gives the
// function another name, made by a step of its own (schema.cc). What differs between two is a
// parameter of DROP_STOPPED_AS.
#pragma once

#include "store/postgres/event_sheets.h"
#include "store/postgres/store_time.h"

// Of tables r and b. ASCII letters alone, as in store/address_hash.h.
#define FULL_ADDRESS                                                \
  "(CASE WHEN right(r.address, 1) = '@' THEN r.address || b.domain" \
  " ELSE r.address END)"
#define SUBJECT_OF_RECIPIENT \
  "translate(" FULL_ADDRESS ", 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')"
// Of tables s and d, as in mail/suppression.h.
#define STOPS_IT                                                                         \
  " s.account IN (0, b.account) AND s.stopping = 1 AND (s.expires IS NULL OR s.expires " \
  "> " STORE_NOW                                                                         \
  ") AND (s.scope = 1 OR (s.scope = 2 AND k.purpose = 1)"                                \
  " OR (s.scope = 3 AND k.purpose <> 3 AND s.list_id <> '' AND s.list_id = d.list_id))"

// A number as the varint that it is packed as (store/codec.h), up to 42 bits.
#define LAST_OCTET(n) "set_byte('\\x00'::bytea, 0, (" n ")::int)"
#define OCTET(n) "set_byte('\\x00'::bytea, 0, ((" n ") & 127 | 128)::int)"
#define VARINT_1(n) LAST_OCTET(n)
#define MORE(n, rest) \
  "CASE WHEN (" n ") < 128 THEN " LAST_OCTET(n) " ELSE " OCTET(n) " || " rest " END"
#define VARINT_2(n) MORE(n, VARINT_1(n " >> 7"))
#define VARINT_3(n) MORE(n, VARINT_2(n " >> 7"))
#define VARINT_4(n) MORE(n, VARINT_3(n " >> 7"))
#define VARINT_5(n) MORE(n, VARINT_4(n " >> 7"))
#define VARINT_6(n) MORE(n, VARINT_5(n " >> 7"))

// $2: batches; $3: the flight that has leased them; $4 and $5: what stories say before and after
// the instant, by reason; $6: what events say before seq, by batch; $7: after the attempt; $8:
// deliveries; $9: what the event of its end says of each, before the number of recipients.
// What nobody has had of a transaction was asked when it was accepted, kAskedAgainAfter ago at most
// (suppressions.h), unless it waited for its time since. OFFSET 0: looked up one by one, whatever
// the planner thinks of tables that it knows nothing of.
#define DROP_STOPPED_AS(asked_later, deferred_less, cancelled_less, not_stopped, subject_erased) \
  "WITH clock AS MATERIALIZED (SELECT " STORE_NOW \
  " AS now)," \
  " hit AS MATERIALIZED (SELECT r.batch, r.seq, b.delivery, b.account," \
  " b.first_email_id + r.seq AS email, r.state AS was, r.attempts, min(s.reason) AS reason" \
  " FROM batches b JOIN deliveries d ON d.key = b.delivery" \
  " CROSS JOIN LATERAL (SELECT CASE WHEN d.purpose <> 0 THEN d.purpose WHEN d.type = 2 THEN 1" \
  " ELSE 3 END AS purpose) k" \
  " CROSS JOIN LATERAL (SELECT r.batch, r.seq, r.address, r.hash, p.state," \
  " coalesce(p.attempts, 0) AS attempts FROM recipients r" \
  " LEFT JOIN progress p ON p.batch = r.batch AND p.seq = r.seq WHERE r.batch = b.number" \
  " AND (p.state IS NULL OR (p.state <= 1 AND coalesce(p.due, 0) <= " STORE_NOW \
  ")) OFFSET 0) r" \
  " CROSS JOIN LATERAL (SELECT s.reason FROM suppressions s WHERE s.hash = r.hash AND" STOPS_IT \
  " AND (s.subject = " SUBJECT_OF_RECIPIENT subject_erased ")" \
  " UNION ALL SELECT s.reason FROM suppressions s WHERE s.domain = 1 AND s.subject = '@' ||" \
  " CASE WHEN b.domain <> '' THEN b.domain ELSE substring(r.address FROM '[^@]*$') END " \
  "AND" STOPS_IT \
  " OFFSET 0) s" \
  " WHERE b.number = ANY($2) AND d.expires > " STORE_NOW \
  " AND ($3::bigint IS NULL OR (b.flight = $3 AND b.holder <> 0" \
  " AND (b.traffic = 1 OR b.token > 1 OR d.created <= " STORE_NOW \
  " - 300000" asked_later "))) GROUP BY 1, 2, 3, 4, 5, 6, 7)," \
  " told AS (INSERT INTO progress(batch, seq, state, attempts, due, history)" \
  " SELECT batch, seq, 4, 0, NULL, ($4::bytea[])[reason] || (SELECT " VARINT_6("i") \
  " FROM (SELECT 2 * (now - 1735689600000) AS i FROM clock) i) || ($5::bytea[])[reason] FROM hit" \
  " ON CONFLICT (batch, seq) DO UPDATE SET state = 4, due = NULL," \
  " history = progress.history || excluded.history)," \
  " waited AS (DELETE FROM not_sent n USING hit WHERE hit.was = 1 AND n.account = hit.account" \
  " AND n.state = 1 AND n.id = hit.email)," \
  " logged AS (INSERT INTO not_sent(account, state, id, code)" \
  " SELECT account, 4, email, 554 FROM hit)," \
  " counted AS (UPDATE batches b SET open = b.open - h.n," \
  " holder = CASE WHEN b.open = h.n THEN 0 ELSE b.holder END," \
  " ready_at = CASE WHEN b.open = h.n THEN NULL ELSE b.ready_at END" \
  " FROM (SELECT batch, count(*) AS n FROM hit GROUP BY batch) h WHERE b.number = h.batch)," \
  " held AS MATERIALIZED (SELECT key FROM deliveries WHERE key IN (SELECT delivery FROM hit)" \
  " ORDER BY key FOR NO KEY UPDATE)," \
  " summed AS (UPDATE deliveries d SET dropped = d.dropped + h.n, deferred = d.deferred - " deferred_less cancelled_less "," \
  " updated = greatest(d.updated, " STORE_NOW \
  "), finished = CASE WHEN d.status = 5 AND d.total = d.delivered + d.bounced + d.dropped" \
  " + d.expired + d.cancelled + d.unknown + h.n THEN " STORE_NOW \
  " ELSE d.finished END, status = CASE WHEN d.status = 5 AND d.total = d.delivered + d.bounced" \
  " + d.dropped + d.expired + d.cancelled + d.unknown + h.n THEN 6 ELSE d.status END," \
  " phase = CASE WHEN d.phase IS NOT NULL AND d.status = 5 AND d.total = d.delivered" \
  " + d.bounced + d.dropped + d.expired + d.cancelled + d.unknown + h.n THEN 6 ELSE d.phase END" \
  " FROM held JOIN (SELECT delivery, count(*) AS n, count(*) FILTER (WHERE was = 1) AS m" \
  " FROM hit GROUP BY delivery) h ON h.delivery = held.key WHERE d.key = held.key" \
  " RETURNING d.key, d.account, d.total, d.status = 6" not_stopped " AS over)," \
  " sheet AS (INSERT INTO event_sheets(account, place, at, entries)" \
  " SELECT t.account, " SHEET_PLACE \
  ", " STORE_NOW \
  ", t.entries || coalesce((SELECT string_agg(f.entry || " VARINT_5("s.total") \
  ", '') FROM summed s JOIN unnest($8::bigint[], $9::bytea[]) f(key, entry) ON f.key = s.key" \
  " WHERE s.over AND s.account = t.account), '')" \
  " FROM (SELECT h.account, string_agg(u.entry || " VARINT_2("h.seq") " || " \
  VARINT_3("h.attempts") " || $7::bytea, '' ORDER BY h.batch, h.seq) AS entries" \
  " FROM hit h JOIN unnest($2::bigint[], $6::bytea[]) u(batch, entry) ON u.batch = h.batch" \
  " GROUP BY h.account) t" ONE_SHEET \
  ") SELECT batch, seq FROM hit"

// What a step made before deliveries had a course (store/course.h).
#define DROP_STOPPED_1 DROP_STOPPED_AS("", "h.m", "", "", "")
// A transaction's that waited has a section. Of what was stopped all that was open counts as
// cancelled, and nothing as deferred.
#define DROP_STOPPED_LATER(subject_erased)                                                    \
  DROP_STOPPED_AS(" OR b.section IS NOT NULL", "CASE WHEN d.course >= 2 THEN 0 ELSE h.m END", \
                  ", cancelled = d.cancelled - CASE WHEN d.course >= 2 THEN h.n ELSE 0 END",  \
                  " AND d.course < 2", subject_erased)
#define DROP_STOPPED_2 DROP_STOPPED_LATER("")
// An erased subject (store/personal_data.h) is of whoever has this hash.
#define DROP_STOPPED DROP_STOPPED_LATER(" OR s.subject = 'erased:' || to_hex(r.hash)")

// Whether there may be anybody to drop: of most commits nobody, which is soon seen.
#define MAY_BE_STOPPED                                                                 \
  "SELECT EXISTS (SELECT FROM suppressions WHERE domain = 1) OR EXISTS (SELECT"        \
  " FROM unnest($2) u(batch)"                                                          \
  " CROSS JOIN LATERAL (SELECT hash FROM recipients WHERE batch = u.batch OFFSET 0) r" \
  " CROSS JOIN LATERAL (SELECT FROM suppressions s WHERE s.hash = r.hash OFFSET 0) s)"

// Returns whom it dropped. Planned once, for whatever is asked for: as plans are looked at by
// plan_test.
#define DROP_STOPPED_FUNCTION(name, statement)                                                   \
  "CREATE OR REPLACE FUNCTION " name                                                             \
  "(bigint, bigint[], bigint, bytea[], bytea[],"                                                 \
  " bytea[], bytea, bigint[], bytea[]) RETURNS TABLE(batch bigint, seq bigint) LANGUAGE plpgsql" \
  " SET plan_cache_mode = force_generic_plan AS $function$\n#variable_conflict use_column\n"     \
  "BEGIN IF (" MAY_BE_STOPPED ") THEN RETURN QUERY " statement "; END IF; END $function$;\n"
#define DROP_STOPPED_FUNCTION_1 DROP_STOPPED_FUNCTION("todoku_drop_stopped_1", DROP_STOPPED_1)
#define DROP_STOPPED_FUNCTION_2 DROP_STOPPED_FUNCTION("todoku_drop_stopped_2", DROP_STOPPED_2)
#define DROP_STOPPED_FUNCTION_3 DROP_STOPPED_FUNCTION("todoku_drop_stopped_3", DROP_STOPPED)
