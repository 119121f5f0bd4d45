// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/event_join.h"

#include <algorithm>
#include <string>
#include <utility>

#include "store/numbers.h"
#include "store/records.h"
#include "store/sqlite/keys.h"

namespace todoku::store::sqlite {
namespace {

// Where no more rows than that lie between those that are wanted, they are passed rather than each
// looked for: a step costs about a fifth of a search.
constexpr std::int64_t kPassedForEach = 4;

}  // namespace

Result<void> EventJoin::join(std::vector<EventRecord>& events) {
  std::vector<Wanted> wanted;
  wanted.reserve(events.size());
  for (EventRecord& event : events) {
    if (is_of_credential(event.entry.kind)) continue;
    auto its_delivery = delivery(event);
    if (!its_delivery) return fail(std::move(its_delivery.error()));
    event.is_gone = *its_delivery == nullptr || !asks_for(question_, **its_delivery);
    if (event.is_gone) continue;
    event.delivery = std::move(*its_delivery);
    if (is_of_many(event.entry.kind)) continue;
    const std::int64_t batch = batch_number(event.entry.delivery, event.entry.batch);
    event.is_gone = true;  // unless its recipient is found
    wanted.push_back({recipient_row(batch, event.entry.seq), &event});
  }
  std::ranges::sort(wanted, {}, &Wanted::row);
  for (auto first = wanted.begin(); first != wanted.end();) {
    const auto is_of_it = [batch = batch_of(first->row)](const Wanted& one) {
      return batch_of(one.row) == batch;
    };
    const auto last = std::find_if_not(first, wanted.end(), is_of_it);
    auto done = join_batch({first, last});
    if (!done) return done;
    first = last;
  }
  for (EventRecord& event : events) {
    if (event.is_gone) event.delivery = EventRecord::no_delivery();
  }
  return {};
}

Result<std::shared_ptr<const EventDelivery>> EventJoin::delivery(const EventRecord& event) {
  const auto known = deliveries_.find(event.entry.delivery);
  if (known != deliveries_.end()) return known->second;
  std::shared_ptr<const EventDelivery> found;
  auto query = db_.query(
      "SELECT id, type, (SELECT subject FROM contents c WHERE c.delivery = d.key), tags, list_id,"
      " purpose, (SELECT sandbox FROM accounts a WHERE a.key = d.account)"
      " FROM deliveries d WHERE key = ? AND account = ? AND deleted = 0");
  query.bind(event.entry.delivery, event.account);
  if (query.next()) {
    found = std::make_shared<const EventDelivery>(
        EventDelivery{.id = query.integer(0),
                      .type = static_cast<DeliveryType>(query.integer(1)),
                      .subject = std::string(query.text(2)),
                      .labels = {split_tags(query.text(3)), std::string(query.text(4)),
                                 static_cast<Purpose>(query.integer(5))},
                      .sandbox = query.flag(6)});
  }
  if (query.failed()) return fail(query.error());
  deliveries_.emplace(event.entry.delivery, found);
  return found;
}

Result<void> EventJoin::join_batch(std::span<Wanted> wanted) {
  auto query =
      db_.query("SELECT first_email_id, domain FROM batches WHERE number = ? AND delivery = ?");
  query.bind(batch_of(wanted.front().row), wanted.front().event->entry.delivery);
  if (!query.next()) {
    if (query.failed()) return fail(query.error());
    return {};
  }
  const Batch batch{.first_log_id = query.integer(0), .domain = std::string(query.text(1))};
  for (auto first = wanted.begin(); first != wanted.end();) {
    auto last = first;
    while (last + 1 != wanted.end() && (last + 1)->row - last->row <= kPassedForEach) ++last;
    auto done = join_recipients({first, ++last}, batch);
    if (!done) return done;
    first = last;
  }
  return {};
}

Result<void> EventJoin::join_recipients(std::span<Wanted> wanted, const Batch& batch) {
  auto query = db_.query(
      "SELECT r.id, r.address, p.history, r.codes FROM recipients r LEFT JOIN progress p ON p.id = "
      "r.id"
      " WHERE r.id BETWEEN ? AND ? ORDER BY r.id");
  query.bind(wanted.front().row, wanted.back().row);
  auto next = wanted.begin();
  while (next != wanted.end() && query.next()) {
    const std::int64_t row = query.integer(0);
    while (next != wanted.end() && next->row < row) ++next;
    // One recipient may have several events.
    for (; next != wanted.end() && next->row == row; ++next) {
      EventRecord& event = *next->event;
      event.is_gone = query.is_null(1);
      if (event.is_gone) continue;
      event.log_id = batch.first_log_id + event.entry.seq;
      event.address = full_address(query.text(1), batch.domain);
      if (!query.is_null(3)) event.attached = attached_in(query.blob(3));
      if (!OutcomesTold::is_told(event.entry.kind)) continue;
      auto told = outcomes_.tell(event, query.blob(2));
      if (!told) return told;
    }
  }
  if (query.failed()) return fail(query.error());
  return {};
}

}  // namespace todoku::store::sqlite
