// SPDX-License-Identifier: Apache-2.0
// Questions about the log and about what accounts have used (store/logs.h, store/usages.h). One
// statement each, but for the look-up by address.
#include <algorithm>
#include <bit>
#include <functional>

#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

// A transaction's batches follow each other from its key on; of sections the visible ones.
const Sql kRanges{"logs: ranges",
                  "WITH RECURSIVE its(number, first, capacity) AS ("
                  "SELECT number, first_email_id, capacity FROM batches WHERE number = $1"
                  " AND delivery = $1 AND section IS NULL UNION ALL"
                  " SELECT b.number, b.first_email_id, b.capacity FROM its JOIN batches b"
                  " ON b.number = its.number + 1 AND b.delivery = $1 AND b.section IS NULL)"
                  " SELECT first, capacity FROM its UNION ALL"
                  " SELECT b.first_email_id, b.capacity FROM sections s CROSS JOIN LATERAL"
                  " (SELECT first_email_id, capacity FROM batches WHERE section = s.id OFFSET 0) b"
                  " WHERE s.delivery = $1 AND s.state = 1 ORDER BY 1 DESC"};
// By halves: `lo` begins before $2, or there is no such batch; `hi` does not.
const Sql kIdSince{
    "logs: id since",
    "WITH RECURSIVE halves(lo, hi) AS (SELECT 0::bigint, coalesce((SELECT first_email_id"
    " FROM batches WHERE account = $1 ORDER BY first_email_id DESC LIMIT 1), 0) + 1 UNION ALL"
    " SELECT CASE WHEN b.first IS NULL OR b.created < $2 THEN h.lo + (h.hi - h.lo) / 2"
    " ELSE h.lo END, CASE WHEN b.first IS NULL OR b.created < $2 THEN h.hi ELSE b.first END"
    " FROM halves h LEFT JOIN LATERAL (SELECT first_email_id AS first, created FROM batches"
    " WHERE account = $1 AND first_email_id <= h.lo + (h.hi - h.lo) / 2"
    " ORDER BY first_email_id DESC LIMIT 1) b ON true WHERE h.hi - h.lo > 1)"
    " SELECT hi FROM halves ORDER BY hi - lo LIMIT 1"};
const Sql kLateStarts{"logs: late starts",
                      "SELECT key FROM deliveries WHERE account = $1 AND started >= $2"
                      " AND started <= $3 AND started > created + 60000 AND deleted = 0"
                      " ORDER BY started LIMIT $4"};
static_assert(kLogLateStart == Milliseconds(60'000));
const Sql kNotSentByState{"logs: not sent by state",
                          "SELECT id, state, code FROM not_sent WHERE account = $1 AND state = $2"
                          " AND id >= $3 AND id < $4 ORDER BY id DESC LIMIT $5"};
const Sql kNotSentByCode{"logs: not sent by code",
                         "SELECT id, state, code FROM not_sent WHERE account = $1 AND code = $2"
                         " AND id >= $3 AND id < $4 ORDER BY id DESC LIMIT $5"};
const Sql kBatches{
    "logs: batches",
    "SELECT b.number, b.first_email_id, b.size, d.id, d.type, CASE WHEN d.status IN (5, 6)"
    " AND d.deleted = 0 AND (b.section IS NULL OR s.state = 1) THEN d.started END"
    " FROM (SELECT * FROM batches WHERE account = $1 AND first_email_id >= coalesce(("
    "SELECT first_email_id FROM batches WHERE account = $1 AND first_email_id <= $2"
    " ORDER BY first_email_id DESC LIMIT 1), $2) AND first_email_id < $3"
    " ORDER BY first_email_id DESC LIMIT $4) b"
    " LEFT JOIN deliveries d ON d.key = b.delivery LEFT JOIN sections s ON s.id = b.section"
    " ORDER BY b.first_email_id DESC"};
const Sql kHits{"logs: hits",
                "SELECT u.first + p.seq, p.state FROM unnest($1::bigint[], $2::bigint[])"
                " u(number, first) CROSS JOIN LATERAL (SELECT seq, state FROM progress"
                " WHERE batch = u.number AND state <> 0 OFFSET 0) p ORDER BY 1 DESC LIMIT $3"};
const Sql kAddressed{"logs: addressed",
                     "SELECT batch, seq FROM recipients WHERE hash = $1 LIMIT $2"};
const Sql kReferred{"logs: of a reference",
                    "SELECT batch, seq FROM recipient_marks WHERE reference = $1 LIMIT $2"};
const Sql kOfMessageId{"logs: of a Message-ID",
                       "SELECT batch, seq FROM recipient_marks WHERE message_id = $1 LIMIT $2"};

const Sql& candidates_by(const Mark* mark) {
  if (mark == nullptr) return kAddressed;
  return mark->kind == MarkKind::reference ? kReferred : kOfMessageId;
}
const Sql kIdsOf{"logs: ids of recipients",
                 "SELECT b.first_email_id + u.seq FROM unnest($1::bigint[], $2::bigint[])"
                 " u(batch, seq) CROSS JOIN LATERAL (SELECT first_email_id, account FROM batches"
                 " WHERE number = u.batch OFFSET 0) b"
                 " WHERE b.account = $3 AND b.first_email_id + u.seq < $4 ORDER BY 1 DESC"};
const Sql kUsages{"usages: months",
                  "SELECT month, sum(mails)::bigint, max(updated) FROM usages WHERE account = $1"
                  " AND month BETWEEN $2 AND $3 GROUP BY month ORDER BY month DESC"};

}  // namespace

Result<std::vector<LogRange>> Questions::log_ranges(DeliveryKey key) {
  const auto rows = session_.ask(kRanges, Params() << key);
  if (!rows) return fail(rows.error());
  std::vector<LogRange> ranges;
  for (int i = 0; i < rows->size(); ++i) {
    const LogRange range{rows->integer(i, 0), rows->integer(i, 0) + rows->integer(i, 1)};
    if (!ranges.empty() && ranges.back().first == range.end) {
      ranges.back().first = range.first;
    } else {
      ranges.push_back(range);
    }
  }
  return ranges;
}

Result<PublicId> Questions::log_id_since(AccountKey account, Instant at) {
  const auto rows = session_.ask(kIdSince, Params() << account << at);
  if (!rows) return fail(rows.error());
  return rows->integer(0, 0);
}

Result<std::vector<DeliveryKey>> Questions::late_starts(AccountKey account, Instant from,
                                                        Instant to, std::int64_t limit) {
  const auto rows = session_.ask(kLateStarts, Params() << account << from << to << limit);
  if (!rows) return fail(rows.error());
  std::vector<DeliveryKey> keys;
  for (int i = 0; i < rows->size(); ++i) keys.push_back(DeliveryKey{rows->integer(i, 0)});
  return keys;
}

Result<std::vector<LogHit>> Questions::not_sent(AccountKey account, LogKey key, LogRange range,
                                                std::int64_t limit) {
  const auto rows =
      session_.ask(key.by == LogKey::By::state ? kNotSentByState : kNotSentByCode,
                   Params() << account << key.value << range.first << range.end << limit);
  if (!rows) return fail(rows.error());
  std::vector<LogHit> hits;
  for (int i = 0; i < rows->size(); ++i) {
    hits.push_back({rows->integer(i, 0), static_cast<RecipientState>(rows->integer(i, 1)),
                    static_cast<int>(rows->integer(i, 2))});
  }
  return hits;
}

Result<std::vector<LogBatch>> Questions::log_batches(AccountKey account, LogRange range,
                                                     std::int64_t limit) {
  const auto rows =
      session_.ask(kBatches, Params() << account << range.first << range.end << limit);
  if (!rows) return fail(rows.error());
  std::vector<LogBatch> batches;
  for (int i = 0; i < rows->size(); ++i) {
    batches.push_back({rows->integer(i, 0), rows->integer(i, 1), rows->integer(i, 2),
                       rows->integer(i, 3), static_cast<DeliveryType>(rows->integer(i, 4)),
                       rows->optional_instant(i, 5)});
  }
  return batches;
}

// Ids of a batch are its own, so the order of ids is that of the batches.
Result<std::vector<LogHit>> Questions::log_hits(std::span<const LogBatch> batches,
                                                std::int64_t limit) {
  Column numbers(kInt8);
  Column firsts(kInt8);
  for (const LogBatch& batch : batches) {
    numbers.add(batch.number);
    firsts.add(batch.first);
  }
  const auto rows = session_.ask(kHits, Params() << numbers << firsts << limit);
  if (!rows) return fail(rows.error());
  std::vector<LogHit> hits;
  for (int i = 0; i < rows->size(); ++i) {
    hits.push_back({rows->integer(i, 0), static_cast<RecipientState>(rows->integer(i, 1)), 0});
  }
  return hits;
}

// Several nodes number recipients and ids in blocks of their own, so all that an address has are
// put in order.
Result<LogReads::Addressed> Questions::log_ids_of(const AddressQuestion& question) {
  constexpr std::int64_t kCandidatesMax = 5'000;
  Addressed addressed;
  const auto hash = std::bit_cast<std::int64_t>(question.mark == nullptr
                                                    ? session_.hash()(question.address)
                                                    : hash_of(session_.hash(), *question.mark));
  const auto found =
      session_.ask(candidates_by(question.mark), Params() << hash << kCandidatesMax + 1);
  if (!found) return fail(found.error());
  if (found->size() > kCandidatesMax) {
    return fail(ErrorKind::limit_exceeded,
                question.mark == nullptr ? "this address has too many mails to be put in order"
                                         : "too many mails have this to be put in order");
  }
  addressed.effort = 1;
  if (found->empty()) return addressed;
  Column batches(kInt8);
  Column seqs(kInt8);
  for (int i = 0; i < found->size(); ++i) {
    batches.add(found->integer(i, 0));
    seqs.add(found->integer(i, 1));
  }
  const auto rows =
      session_.ask(kIdsOf, Params() << batches << seqs << question.account << question.below);
  if (!rows) return fail(rows.error());
  addressed.effort += rows->size();
  for (int i = 0; i < rows->size(); ++i) addressed.ids.push_back(rows->integer(i, 0));
  return addressed;
}

Result<std::vector<Usage>> Questions::usages(AccountKey account, Month first, Month last) {
  const auto rows = session_.ask(kUsages, Params() << account << first << last);
  if (!rows) return fail(rows.error());
  std::vector<Usage> usages;
  for (int i = 0; i < rows->size(); ++i) {
    usages.push_back(
        {static_cast<Month>(rows->integer(i, 0)), rows->integer(i, 1), rows->instant(i, 2)});
  }
  return usages;
}

}  // namespace todoku::store::postgres
