// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/stops.h"

#include <set>
#include <string>

#include "store/dictionary.h"
#include "store/event_sheet.h"
#include "store/numbers.h"
#include "store/postgres/event_sheets.h"
#include "store/records.h"

namespace todoku::store::postgres {
namespace {

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
// OFFSET 0: looked up one by one, whatever the planner thinks of tables that it knows nothing of.
const Sql kDropStopped{
    "stops: drop",
    "WITH clock AS MATERIALIZED (SELECT " STORE_NOW
    " AS now),"
    " hit AS MATERIALIZED (SELECT r.batch, r.seq, b.delivery, b.account,"
    " b.first_email_id + r.seq AS email, r.state AS was, r.attempts, min(s.reason) AS reason"
    " FROM batches b JOIN deliveries d ON d.key = b.delivery"
    " CROSS JOIN LATERAL (SELECT CASE WHEN d.purpose <> 0 THEN d.purpose WHEN d.type = 2 THEN 1"
    " ELSE 3 END AS purpose) k"
    " CROSS JOIN LATERAL (SELECT r.batch, r.seq, r.address, r.hash, p.state,"
    " coalesce(p.attempts, 0) AS attempts FROM recipients r"
    " LEFT JOIN progress p ON p.batch = r.batch AND p.seq = r.seq WHERE r.batch = b.number"
    " AND (p.state IS NULL OR (p.state <= 1 AND coalesce(p.due, 0) <= " STORE_NOW
    ")) OFFSET 0) r"
    " CROSS JOIN LATERAL (SELECT s.reason FROM suppressions s WHERE s.hash = r.hash AND" STOPS_IT
    " AND s.subject = " SUBJECT_OF_RECIPIENT
    " UNION ALL SELECT s.reason FROM suppressions s WHERE s.domain = 1 AND s.subject = '@' ||"
    " CASE WHEN b.domain <> '' THEN b.domain ELSE substring(r.address FROM '[^@]*$') END "
    "AND" STOPS_IT
    " OFFSET 0) s"
    " WHERE b.number = ANY($2) AND d.expires > " STORE_NOW
    " AND ($3::bigint IS NULL OR (b.flight = $3 AND b.holder <> 0"
    " AND (b.traffic = 1 OR b.token > 1))) GROUP BY 1, 2, 3, 4, 5, 6, 7),"
    " told AS (INSERT INTO progress(batch, seq, state, attempts, due, history)"
    " SELECT batch, seq, 4, 0, NULL, ($4::bytea[])[reason] || (SELECT " VARINT_6("i")
    " FROM (SELECT 2 * (now - 1735689600000) AS i FROM clock) i) || ($5::bytea[])[reason] FROM hit"
    " ON CONFLICT (batch, seq) DO UPDATE SET state = 4, due = NULL,"
    " history = progress.history || excluded.history),"
    " waited AS (DELETE FROM not_sent n USING hit WHERE hit.was = 1 AND n.account = hit.account"
    " AND n.state = 1 AND n.id = hit.email),"
    " logged AS (INSERT INTO not_sent(account, state, id, code)"
    " SELECT account, 4, email, 554 FROM hit),"
    " counted AS (UPDATE batches b SET open = b.open - h.n,"
    " holder = CASE WHEN b.open = h.n THEN 0 ELSE b.holder END,"
    " ready_at = CASE WHEN b.open = h.n THEN NULL ELSE b.ready_at END"
    " FROM (SELECT batch, count(*) AS n FROM hit GROUP BY batch) h WHERE b.number = h.batch),"
    " held AS MATERIALIZED (SELECT key FROM deliveries WHERE key IN (SELECT delivery FROM hit)"
    " ORDER BY key FOR NO KEY UPDATE),"
    " summed AS (UPDATE deliveries d SET dropped = d.dropped + h.n, deferred = d.deferred - h.m,"
    " updated = greatest(d.updated, " STORE_NOW
    "), finished = CASE WHEN d.status = 5 AND d.total = d.delivered + d.bounced + d.dropped"
    " + d.expired + d.cancelled + d.unknown + h.n THEN " STORE_NOW
    " ELSE d.finished END, status = CASE WHEN d.status = 5 AND d.total = d.delivered + d.bounced"
    " + d.dropped + d.expired + d.cancelled + d.unknown + h.n THEN 6 ELSE d.status END,"
    " phase = CASE WHEN d.phase IS NOT NULL AND d.status = 5 AND d.total = d.delivered"
    " + d.bounced + d.dropped + d.expired + d.cancelled + d.unknown + h.n THEN 6 ELSE d.phase END"
    " FROM held JOIN (SELECT delivery, count(*) AS n, count(*) FILTER (WHERE was = 1) AS m"
    " FROM hit GROUP BY delivery) h ON h.delivery = held.key WHERE d.key = held.key"
    " RETURNING d.key, d.account, d.total, d.status = 6 AS over),"
    " sheet AS (INSERT INTO event_sheets(account, place, at, entries)"
    " SELECT t.account, " SHEET_PLACE
    ", " STORE_NOW
    ", t.entries || coalesce((SELECT string_agg(f.entry || " VARINT_5("s.total")
    ", '') FROM summed s JOIN unnest($8::bigint[], $9::bytea[]) f(key, entry) ON f.key = s.key"
    " WHERE s.over AND s.account = t.account), '')"
    " FROM (SELECT h.account, string_agg(u.entry || " VARINT_2("h.seq") " || "
    VARINT_3("h.attempts") " || $7::bytea, '' ORDER BY h.batch, h.seq) AS entries"
    " FROM hit h JOIN unnest($2::bigint[], $6::bytea[]) u(batch, entry) ON u.batch = h.batch"
    " GROUP BY h.account) t" ONE_SHEET
    ") SELECT batch, seq FROM hit"};

// What one hard error more makes of an entry. Of one that is there and lives: another delivery's
// counts one more, the same one's nothing; what stops for good goes on so.
#define LIVES "(s.expires IS NULL OR s.expires > $1)"
#define ERRORS_NOW "(CASE WHEN " LIVES " THEN s.errors + excluded.errors ELSE excluded.errors END)"
#define STOPS_NOW \
  "(CASE WHEN (" LIVES " AND s.stopping = 1) OR " ERRORS_NOW " >= $7 THEN 1 ELSE 0 END)"
// $7: errors that stop; $8: within; $9: how long, 0: for good.
const Sql kHardErrors{
    "stops: hard errors",
    "INSERT INTO suppressions AS s (hash, account, subject, reason, list_id, scope, stopping,"
    " errors, note, code, words, error_at, delivery, email, expires, created, updated, domain)"
    " SELECT g.hash, g.account, g.subject, 1, '', 1, CASE WHEN g.errors >= $7 THEN 1 ELSE 0 END,"
    " g.errors, '', g.code, g.words, g.at, g.delivery, g.email,"
    " CASE WHEN g.errors < $7 THEN $1 + $8 WHEN $9 > 0 THEN $1 + $9 END, $1, $1, 0"
    " FROM (SELECT e.hash, e.account, e.subject, count(DISTINCT e.delivery) AS errors,"
    " (array_agg(e.code ORDER BY e.at DESC))[1] AS code,"
    " (array_agg(e.words ORDER BY e.at DESC))[1] AS words, max(e.at) AS at,"
    " (array_agg(e.delivery ORDER BY e.at DESC))[1] AS delivery,"
    " (array_agg(e.email ORDER BY e.at DESC))[1] AS email"
    " FROM (SELECT r.hash, b.account, " SUBJECT_OF_RECIPIENT
    " AS subject, d.id AS delivery, b.first_email_id + u.seq AS email, u.at, u.code, u.words"
    " FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[])"
    " u(batch, seq, at, code, words) JOIN batches b ON b.number = u.batch"
    " JOIN deliveries d ON d.key = b.delivery"
    " JOIN recipients r ON r.batch = u.batch AND r.seq = u.seq) e"
    " GROUP BY e.hash, e.account, e.subject ORDER BY e.hash, e.account) g"
    " ON CONFLICT (hash, account, reason, list_id, subject) DO UPDATE SET"
    " errors = " ERRORS_NOW ", stopping = " STOPS_NOW
    ", code = excluded.code, words = excluded.words, error_at = excluded.error_at,"
    " delivery = excluded.delivery, email = excluded.email, updated = $1,"
    " created = CASE WHEN " LIVES
    " THEN s.created ELSE $1 END,"
    " expires = CASE WHEN s.stopping = 1 AND s.expires IS NULL THEN NULL WHEN " STOPS_NOW
    " = 0 THEN $1 + $8 WHEN $9 > 0 THEN $1 + $9 END"
    " WHERE NOT (" LIVES " AND s.delivery = excluded.delivery)"};

}  // namespace

void add_drop_stopped(Link& link, Told told, const std::map<std::int64_t, DeliveryKey>& batches,
                      std::optional<std::int64_t> flight) {
  static_assert(kHistoryEpochMs == 1'735'689'600'000, "as the statement has it");
  NoDictionary dictionary;
  Column before(kBytea), after(kBytea);
  for (std::uint8_t reason = 1; reason <= kStopReasons; ++reason) {
    const Outcome outcome = dropped_for(static_cast<StopReason>(reason));
    std::string history;
    // Nothing that is out of range: it cannot be refused.
    (void)append_history(dictionary,
                         {.at = from_epoch_ms(kHistoryEpochMs),
                          .duration = {},
                          .state = outcome.state,
                          .outcome = outcome,
                          .path = {}},
                         history);
    // An octet, the instant, which is one here, and the rest.
    before.add(Octets{std::string_view(history).substr(0, 1)});
    after.add(Octets{std::string_view(history).substr(2)});
  }
  Column number(kInt8), heads(kBytea), key(kInt8), ends(kBytea);
  std::set<DeliveryKey> deliveries;
  for (const auto& [batch, delivery] : batches) {
    number.add(batch);
    heads.add(Octets{entry_before_seq(EventKind::dropped, delivery,
                                      batch_key(number_of(delivery), batch).batch)});
    deliveries.insert(delivery);
  }
  for (const DeliveryKey delivery : deliveries) {
    key.add(delivery);
    ends.add(Octets{entry_before_recipients(EventKind::delivery_finished, delivery)});
  }
  const std::string tail = entry_after_attempt(kSuppressedCode, Cause::suppressed);
  link.add(kDropStopped, Params() << told << number << flight << before << after << heads
                                  << Octets{tail} << key << ends);
}

void add_hard_errors(Link& link, Instant now, std::span<const HardError> errors,
                     const ErrorStop& rule) {
  if (errors.empty() || rule.errors == 0) return;
  Column batch(kInt8), seq(kInt8), at(kInt8), code(kInt8), words(kText);
  for (const HardError& error : errors) {
    batch.add(error.place.first);
    seq.add(error.place.second);
    at.add(error.at);
    code.add(error.code);
    words.add(cut_stop_text(error.text));
  }
  link.add(kHardErrors, Params() << now << batch << seq << at << code << words
                                 << static_cast<std::int64_t>(rule.errors) << rule.within
                                 << rule.lasts);
}

}  // namespace todoku::store::postgres
