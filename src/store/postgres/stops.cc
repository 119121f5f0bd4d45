// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/stops.h"

#include <set>
#include <string>

#include "store/dictionary.h"
#include "store/event_sheet.h"
#include "store/numbers.h"
#include "store/postgres/event_sheets.h"
#include "store/postgres/stops_sql.h"
#include "store/records.h"

namespace todoku::store::postgres {
namespace {

// Not sent as such: the function's, for whoever looks at plans.
[[maybe_unused]] const Sql kMayBeStopped{"stops: may be",
                                         "SELECT $1::bigint, $2::bigint[], (" MAY_BE_STOPPED ")"};
[[maybe_unused]] const Sql kDropStopped{"stops: drop", DROP_STOPPED};
const Sql kCallDropStopped{
    "stops: drop, by its function",
    "SELECT batch, seq FROM todoku_drop_stopped_3($1, $2, $3, $4, $5, $6, $7, $8, $9)"};

// What one hard error more makes of an entry (ErrorStop). Of one that is there and lives: another
// delivery's counts one more, the same one's nothing. What stops nothing yet expires when its
// errors no longer count.
#define LIVES "(s.expires IS NULL OR s.expires > $1)"
#define STOPPED "(" LIVES " AND s.stopping = 1)"
#define ERRORS_NOW                      \
  "(excluded.errors + CASE WHEN " LIVES \
  " AND (s.stopping = 0 OR s.error_at > $1::bigint - $8::bigint) THEN s.errors ELSE 0 END)"
#define ENOUGH "(" ERRORS_NOW " >= $7::bigint)"
// $7: errors that stop; $8: within; $9: how long, 0: for good.
const Sql kHardErrors{
    "stops: hard errors",
    "INSERT INTO suppressions AS s (hash, account, subject, reason, list_id, scope, stopping,"
    " errors, note, code, words, error_at, delivery, email, expires, created, updated, domain)"
    " SELECT g.hash, g.account, g.subject, 1, '', 1, CASE WHEN g.errors >= $7 THEN 1 ELSE 0 END,"
    " g.errors, '', g.code, g.words, g.at, g.delivery, g.email,"
    " CASE WHEN g.errors < $7 THEN $1::bigint + $8::bigint WHEN $9::bigint > 0 THEN $1::bigint + "
    "$9::bigint END, $1, $1, 0"
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
    " errors = " ERRORS_NOW ", stopping = CASE WHEN " STOPPED " OR " ENOUGH
    " THEN 1 ELSE 0 END, scope = CASE WHEN " STOPPED " AND NOT " ENOUGH
    " THEN s.scope ELSE 1 END, note = CASE WHEN " LIVES
    " THEN s.note ELSE '' END,"
    " code = excluded.code, words = excluded.words, error_at = excluded.error_at,"
    " delivery = excluded.delivery, email = excluded.email, updated = $1,"
    " created = CASE WHEN " LIVES " THEN s.created ELSE $1 END, expires = CASE WHEN " STOPPED
    " AND (s.expires IS NULL OR NOT " ENOUGH ") THEN s.expires WHEN NOT " ENOUGH
    " THEN $1::bigint + $8::bigint WHEN $9::bigint > 0 THEN greatest(CASE WHEN " STOPPED
    " THEN s.expires END, $1::bigint + $9::bigint) END"
    " WHERE NOT (" LIVES " AND s.delivery = excluded.delivery)"};

}  // namespace

void add_drop_stopped(Link& link, Told told, const std::map<std::int64_t, DeliveryKey>& batches,
                      std::optional<std::int64_t> flight) {
  static_assert(kHistoryEpochMs == 1'735'689'600'000, "as the statement has it");
  static_assert(kAskedAgainAfter == Milliseconds(300'000), "as the statement has it");
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
  link.add(kCallDropStopped, Params() << told << number << flight << before << after << heads
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
