// SPDX-License-Identifier: Apache-2.0
// Recipients by domain (store/domain_counts.h), and samples of recipients
// (store/recipient_sample.h).
#include "store/domain_counts.h"

#include <algorithm>
#include <functional>

#include "store/records.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {

Result<DomainCountPage> Queries::domain_counts(DeliveryKey key,
                                               const std::optional<DomainCountPlace>& from,
                                               std::int64_t limit) {
  DomainCountPage page;
  auto sections = live_sections(key);
  if (!sections) return fail(sections.error());
  std::ranges::sort(*sections);
  const auto its = std::ranges::lower_bound(*sections, from ? from->section : 0);
  if (its == sections->end()) return page;
  const bool goes_on = from && from->section == *its && from->after;
  auto query = db_.query(
      "SELECT domain, recipients FROM domain_counts WHERE section = ?1 AND domain >= ?3"
      " AND (?2 = 0 OR domain > ?3) ORDER BY domain LIMIT ?4");
  query.bind(*its, goes_on, goes_on ? std::string_view(*from->after) : std::string_view(), limit);
  while (query.next()) page.counts.push_back({std::string(query.text(0)), query.integer(1)});
  if (query.failed()) return fail(query.error());
  if (static_cast<std::int64_t>(page.counts.size()) == limit) {
    page.next = DomainCountPlace{*its, page.counts.back().domain};
  } else if (its + 1 != sections->end()) {
    page.next = DomainCountPlace{*(its + 1), std::nullopt};
  }
  return page;
}

// Of a batch who is at or after `from`; else, since a batch may be smaller than its ids, who is the
// last before. `limit` of more than one: all from there on.
Result<void> Queries::add_sampled(const BatchRow& batch, std::int64_t from, std::int64_t limit,
                                  std::vector<SampledRecipient>& sample) {
  for (const bool after : {true, false}) {
    auto query = after ? db_.query(
                             "SELECT id, address, codes FROM recipients WHERE id BETWEEN ? AND ?"
                             " ORDER BY id LIMIT ?")
                       : db_.query(
                             "SELECT id, address, codes FROM recipients WHERE id BETWEEN ? AND ?"
                             " ORDER BY id DESC LIMIT ?");
    const std::int64_t row = recipient_row(batch.number, from);
    query.bind(after ? row : first_row(batch.number), after ? last_row(batch.number) : row, limit);
    bool any = false;
    while (query.next()) {
      any = true;
      auto codes = unpack_codes(dictionary_, query.blob(2));
      if (!codes) return fail(std::move(codes.error()));
      (void)detach(*codes);
      const BatchKey key = batch_key(batch.delivery, batch.number);
      const RecipientKey its{key.delivery, key.batch, seq_of(query.integer(0))};
      if (!sample.empty() && sample.back().key == its) continue;
      sample.push_back({its, full_address(query.text(1), batch.domain), std::move(*codes)});
    }
    if (query.failed()) return fail(query.error());
    if (any || limit > 1) break;
  }
  return {};
}

Result<std::vector<SampledRecipient>> Queries::whole_list(DeliveryKey key, std::int64_t wanted) {
  std::vector<std::int64_t> numbers;
  const auto sections = live_sections(key);
  if (!sections) return fail(sections.error());
  for (const std::int64_t section : *sections) {
    auto query = db_.query(
        "SELECT number FROM batches WHERE section = ? AND size > removed ORDER BY first_email_id"
        " LIMIT ?");
    query.bind(section, wanted);
    while (query.next()) numbers.push_back(query.integer(0));
    if (query.failed()) return fail(query.error());
  }
  const bool of_sections = !numbers.empty();
  if (!of_sections) numbers.push_back(number_of(key));
  std::vector<SampledRecipient> sample;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::int64_t left = wanted - static_cast<std::int64_t>(sample.size());
    const auto its = batch(numbers[i]);
    if (!its) return fail(its.error());
    if (left <= 0 || !*its || (*its)->delivery != number_of(key)) break;
    if (!of_sections && (*its)->section != 0) break;
    auto done = add_sampled(**its, 0, std::max<std::int64_t>(left, 2), sample);
    if (!done) return fail(std::move(done.error()));
    // A transaction's batches follow each other from its key on.
    if (!of_sections) numbers.push_back(numbers[i] + 1);
  }
  if (static_cast<std::int64_t>(sample.size()) > wanted) {
    sample.resize(static_cast<std::size_t>(wanted));
  }
  return sample;
}

// As log_ranges(), less the room that open batches have left.
Result<std::vector<LogRange>> Queries::filled_ranges(DeliveryKey key) {
  const auto sections = live_sections(key);
  if (!sections) return fail(sections.error());
  if (sections->empty()) return log_ranges(key);
  std::vector<LogRange> ranges;
  for (const std::int64_t section : *sections) {
    auto query = db_.query("SELECT first_email_id, size FROM batches WHERE section = ?");
    query.bind(section);
    while (query.next()) {
      ranges.push_back({query.integer(0), query.integer(0) + query.integer(1)});
    }
    if (query.failed()) return fail(query.error());
  }
  std::ranges::sort(ranges, std::ranges::greater(), &LogRange::first);
  return ranges;
}

Result<std::vector<SampledRecipient>> Queries::sample_recipients(DeliveryKey key,
                                                                 std::size_t wanted) {
  wanted = std::min(wanted, kSampleMax);
  const auto head = delivery_row(key);
  if (!head) return fail(head.error());
  if (head->counts.total <= static_cast<std::int64_t>(wanted)) {
    return whole_list(key, static_cast<std::int64_t>(wanted));
  }
  const auto ranges = filled_ranges(key);
  if (!ranges) return fail(ranges.error());
  std::vector<SampledRecipient> sample;
  for (const PublicId id : spread_ids(*ranges, wanted)) {
    const auto place = place_of_id(head->account, id);
    if (!place) return fail(place.error());
    if (!*place) continue;
    const auto its = batch((*place)->number);
    if (!its) return fail(its.error());
    if (!*its || (*its)->delivery != number_of(key)) continue;
    auto done = add_sampled(**its, id - (*its)->first_email_id, 1, sample);
    if (!done) return fail(std::move(done.error()));
  }
  return sample;
}

// What is known grows; what is new gets a row each, or goes to the others.
Result<void> SqliteWriteTransaction::count_domains(std::int64_t section,
                                                   std::span<const DomainTally> tallies) {
  std::vector<const DomainTally*> unknown;
  const auto add = [&](std::string_view domain, std::int64_t recipients) {
    return db_
        .query(
            "UPDATE domain_counts SET recipients = recipients + ?"
            " WHERE section = ? AND domain = ?")
        .bind(recipients, section, domain)
        .run();
  };
  const auto insert = [&](std::string_view domain, std::int64_t recipients) {
    return db_.query("INSERT INTO domain_counts(section, domain, recipients) VALUES(?, ?, ?)")
        .bind(section, domain, recipients)
        .run();
  };
  std::int64_t others = 0;
  for (const DomainTally& tally : tallies) {
    if (tally.domain.empty()) {
      others += tally.recipients;
      continue;
    }
    auto done = add(tally.domain, tally.recipients);
    if (!done) return done;
    if (db_.changes() == 0) unknown.push_back(&tally);
  }
  if (!unknown.empty()) {
    auto done = db_.query(
                       "UPDATE sections SET domains = domains + ?2 WHERE id = ?1"
                       " AND domains <= ?3")
                    .bind(section, unknown.size(), kDomainsCountedMax)
                    .run();
    if (!done) return done;
    auto query = db_.query("SELECT domains FROM sections WHERE id = ?");
    query.bind(section);
    const bool apart = query.next() && query.integer(0) <= kDomainsCountedMax;
    if (query.failed()) return fail(query.error());
    for (const DomainTally* const tally : unknown) {
      if (!apart) {
        others += tally->recipients;
        continue;
      }
      done = insert(tally->domain, tally->recipients);
      if (!done) return done;
    }
  }
  if (others == 0) return {};
  auto done = add({}, others);
  if (done && db_.changes() == 0) done = insert({}, others);
  return done;
}

Result<std::string> SqliteWriteTransaction::domain_at(std::int64_t row, const BatchRow& batch) {
  auto query = db_.query("SELECT address FROM recipients WHERE id = ?");
  query.bind(row);
  if (query.next()) return std::string(domain_of(full_address(query.text(0), batch.domain)));
  if (query.failed()) return fail(query.error());
  return fail(ErrorKind::not_found, "there is no such recipient");
}

Result<void> SqliteWriteTransaction::discount_domain(std::int64_t section,
                                                     std::string_view domain) {
  for (const std::string_view each : {domain, std::string_view()}) {
    auto done = db_.query(
                       "UPDATE domain_counts SET recipients = recipients - 1"
                       " WHERE section = ? AND domain = ?")
                    .bind(section, each)
                    .run();
    if (!done) return done;
    if (db_.changes() == 0) continue;
    return db_
        .query("DELETE FROM domain_counts WHERE section = ? AND domain = ? AND recipients <= 0")
        .bind(section, each)
        .run();
  }
  return {};
}

}  // namespace todoku::store::sqlite
