// SPDX-License-Identifier: Apache-2.0
// Recipients by domain, and samples of recipients (store/recipient_sample.h).
#include "store/postgres/domain_counts.h"

#include <algorithm>

#include "store/numbers.h"
#include "store/postgres/rows.h"
#include "store/postgres/transactions.h"
#include "store/recipient_sample.h"
#include "store/records.h"

namespace todoku::store::postgres {

// sections.domains passes the limit with the call that has too many, and stays there: its new
// domains, and all that come later, have no places.
const Sql DomainColumns::kTakePlaces{
    "domain counts: take places",
    "UPDATE sections s SET domains = s.domains + n.fresh FROM (SELECT u.section, count(*) AS fresh"
    " FROM unnest($1::bigint[], $2::text[]) u(section, domain)"
    " LEFT JOIN LATERAL (SELECT 1 AS known FROM domain_counts WHERE section = u.section"
    " AND domain = u.domain OFFSET 0) k ON true WHERE u.domain <> '' AND k.known IS NULL"
    " GROUP BY u.section) n WHERE s.id = n.section AND s.domains <= $3"};
const Sql DomainColumns::kCount{
    "domain counts: count",
    "INSERT INTO domain_counts AS c (section, domain, recipients)"
    " SELECT u.section, CASE WHEN k.known = 1 OR s.domains <= $4 THEN u.domain ELSE '' END,"
    " sum(u.recipients)::bigint"
    " FROM unnest($1::bigint[], $2::text[], $3::bigint[]) u(section, domain, recipients)"
    " CROSS JOIN LATERAL (SELECT domains FROM sections WHERE id = u.section OFFSET 0) s"
    " LEFT JOIN LATERAL (SELECT 1 AS known FROM domain_counts WHERE section = u.section"
    " AND domain = u.domain OFFSET 0) k ON true GROUP BY 1, 2 ORDER BY 1, 2"
    " ON CONFLICT (section, domain) DO UPDATE SET recipients = c.recipients + excluded.recipients"};
const Sql DomainColumns::kDiscount{
    "domain counts: discount",
    "UPDATE domain_counts SET recipients = recipients - 1 WHERE section = $1"
    " AND domain = CASE WHEN EXISTS (SELECT 1 FROM domain_counts WHERE section = $1"
    " AND domain = $2) THEN $2 ELSE '' END"};
const Sql DomainColumns::kDropEmpty{"domain counts: drop empty",
                                    "DELETE FROM domain_counts WHERE section = $1"
                                    " AND domain IN ($2, '') AND recipients <= 0"};

namespace {

// One section of a delivery, and whether there is another after it.
const Sql kDomainCounts{
    "domain counts: page",
    "SELECT s.id, s.after, c.domain, c.recipients FROM (SELECT id, lead(id) OVER (ORDER BY id)"
    " AS after FROM sections WHERE delivery = $1 AND state = 1 AND id >= $2 ORDER BY id LIMIT 1) s"
    " LEFT JOIN LATERAL (SELECT domain, recipients FROM domain_counts WHERE section = s.id"
    " AND domain >= coalesce(CASE WHEN s.id = $2 THEN $3::text END, '')"
    " AND (s.id > $2 OR $3::text IS NULL OR domain > $3::text) ORDER BY domain LIMIT $4) c ON true"
    " ORDER BY c.domain"};
const Sql kWholeList{
    "samples: whole list",
    "WITH RECURSIVE its(number) AS (SELECT number FROM batches WHERE number = $1 AND delivery = $1"
    " AND section IS NULL UNION ALL SELECT b.number FROM its JOIN batches b"
    " ON b.number = its.number + 1 AND b.delivery = $1 AND b.section IS NULL),"
    " of_all(number) AS (SELECT number FROM its UNION ALL SELECT b.number FROM sections s"
    " CROSS JOIN LATERAL (SELECT number FROM batches WHERE section = s.id OFFSET 0) b"
    " WHERE s.delivery = $1 AND s.state = 1)"
    " SELECT b.number, b.delivery, b.domain, r.seq, r.address, r.codes FROM of_all"
    " CROSS JOIN LATERAL (SELECT * FROM batches WHERE number = of_all.number OFFSET 0) b"
    " CROSS JOIN LATERAL (SELECT seq, address, codes FROM recipients WHERE batch = b.number"
    " OFFSET 0) r ORDER BY b.first_email_id, r.seq LIMIT $2"};
const Sql kFilledRanges{
    "samples: ranges",
    "SELECT b.first_email_id, b.size FROM sections s CROSS JOIN LATERAL"
    " (SELECT first_email_id, size FROM batches WHERE section = s.id OFFSET 0) b"
    " WHERE s.delivery = $1 AND s.state = 1 ORDER BY 1 DESC"};
// Of each id the batch that begins at or before it, and in it who is at or after the id; else,
// since a batch may be smaller than its ids, who is the last before.
const Sql kSampled{
    "samples: by ids",
    "SELECT b.number, b.delivery, b.domain, r.seq, r.address, r.codes"
    " FROM unnest($1::bigint[]) u(id) CROSS JOIN LATERAL (SELECT number, delivery, domain,"
    " first_email_id FROM batches WHERE account = $2 AND first_email_id <= u.id"
    " ORDER BY first_email_id DESC LIMIT 1) b CROSS JOIN LATERAL (SELECT * FROM ("
    "(SELECT 1 AS place, seq, address, codes FROM recipients WHERE batch = b.number"
    " AND seq >= u.id - b.first_email_id ORDER BY seq LIMIT 1) UNION ALL"
    " (SELECT 2, seq, address, codes FROM recipients WHERE batch = b.number"
    " AND seq < u.id - b.first_email_id ORDER BY seq DESC LIMIT 1)) x ORDER BY place LIMIT 1) r"
    " WHERE b.delivery = $3 ORDER BY b.first_email_id, r.seq"};

Result<std::vector<SampledRecipient>> sampled_in(const Result<Table>& rows,
                                                 Dictionary& dictionary) {
  if (!rows) return fail(rows.error());
  std::vector<SampledRecipient> sample;
  for (int i = 0; i < rows->size(); ++i) {
    const BatchKey batch = batch_key(rows->integer(i, 1), rows->integer(i, 0));
    const RecipientKey key{batch.delivery, batch.batch,
                           static_cast<std::uint32_t>(rows->integer(i, 3))};
    if (!sample.empty() && sample.back().key == key) continue;
    auto codes = unpack_codes(dictionary, rows->text(i, 5));
    if (!codes) return fail(std::move(codes.error()));
    (void)detach(*codes);
    sample.push_back({key, full_address(rows->text(i, 4), rows->text(i, 2)), std::move(*codes)});
  }
  return sample;
}

}  // namespace

void DomainColumns::add(std::int64_t section, std::span<const DomainTally> tallies) {
  for (const DomainTally& tally : tallies) {
    tallies_[{section, tally.domain}] += tally.recipients;
  }
}

Result<DomainCountPage> Questions::domain_counts(DeliveryKey key,
                                                 const std::optional<DomainCountPlace>& from,
                                                 std::int64_t limit) {
  std::optional<std::string_view> after;
  if (from && from->after) after = *from->after;
  const auto rows =
      session_.ask(kDomainCounts, Params() << key << (from ? from->section : 0) << after << limit);
  if (!rows) return fail(rows.error());
  DomainCountPage page;
  for (int i = 0; i < rows->size(); ++i) {
    if (rows->null(i, 2)) continue;
    page.counts.push_back({std::string(rows->text(i, 2)), rows->integer(i, 3)});
  }
  if (rows->empty()) return page;
  if (static_cast<std::int64_t>(page.counts.size()) == limit) {
    page.next = DomainCountPlace{rows->integer(0, 0), page.counts.back().domain};
  } else if (!rows->null(0, 1)) {
    page.next = DomainCountPlace{rows->integer(0, 1), std::nullopt};
  }
  return page;
}

Result<std::vector<SampledRecipient>> Questions::sample_recipients(DeliveryKey key,
                                                                   std::size_t wanted) {
  wanted = std::min(wanted, kSampleMax);
  const auto head = delivery_row(session_, key);
  if (!head) return fail(head.error());
  if (head->counts.total <= static_cast<std::int64_t>(wanted)) {
    return sampled_in(session_.ask(kWholeList, Params() << key << wanted), session_.dictionary());
  }
  // Less the room that open batches have left. A transaction has no sections.
  const auto rows = session_.ask(kFilledRanges, Params() << key);
  if (!rows) return fail(rows.error());
  auto ranges = rows->empty() ? log_ranges(key) : Result<std::vector<LogRange>>();
  if (!ranges) return fail(std::move(ranges.error()));
  for (int i = 0; i < rows->size(); ++i) {
    ranges->push_back({rows->integer(i, 0), rows->integer(i, 0) + rows->integer(i, 1)});
  }
  Column ids(kInt8);
  for (const PublicId id : spread_ids(*ranges, wanted)) ids.add(id);
  return sampled_in(session_.ask(kSampled, Params() << ids << head->account << key),
                    session_.dictionary());
}

}  // namespace todoku::store::postgres
