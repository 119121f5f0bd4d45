// SPDX-License-Identifier: Apache-2.0
#include "events/reports/noticing.h"

#include <algorithm>
#include <map>
#include <utility>

namespace todoku::events::reports {
namespace {

using Starts = std::map<store::DeliveryKey, Instant>;

// When the deliveries began of which somebody was deferred.
Result<Starts> starts_of(store::ReadTransaction& transaction,
                         const std::vector<store::EventRecord>& events) {
  std::vector<store::DeliveryKey> keys;
  for (const store::EventRecord& event : events) {
    if (event.entry.kind == store::EventKind::deferred) keys.push_back(event.entry.delivery);
  }
  std::ranges::sort(keys);
  keys.erase(std::ranges::unique(keys).begin(), keys.end());
  Starts starts;
  if (keys.empty()) return starts;
  const auto heads = transaction.delivery_heads(keys);
  if (!heads) return fail(heads.error());
  for (const store::Delivery& head : *heads) {
    starts.emplace(head.key, head.started.value_or(head.created));
  }
  return starts;
}

bool is_late(const store::SheetEntry& entry, const Starts& starts, Milliseconds delay_after) {
  const auto start = starts.find(entry.delivery);
  return start != starts.end() && entry.at - start->second >= delay_after;
}

}  // namespace

Result<NoticedPage> notice(store::ReadTransaction& transaction, const ReaderState& state,
                           const delivery::policy::NotifyOptions& options) {
  using enum store::EventKind;
  store::EventQuestion question;
  question.after = state.after;
  question.after_account = state.after_account;
  question.limit = kEventsOfPage;
  question.kinds = {sent, deferred, hard_error, soft_error, dropped, expired, unknown};
  question.type = DeliveryType::smtp;
  const auto page = transaction.events(question);
  if (!page) return fail(page.error());
  const auto starts = starts_of(transaction, page->events);
  if (!starts) return fail(starts.error());
  NoticedPage found{.noticed = {},
                    .next = page->next,
                    .next_account = page->next_account,
                    .more = page->more,
                    .lost = page->lost};
  for (const store::EventRecord& event : page->events) {
    const store::SheetEntry& entry = event.entry;
    const bool is_deferred = entry.kind == deferred;
    if (is_deferred && !is_late(entry, *starts, options.delay_after)) continue;
    if (entry.kind == sent && !event.sender_to_tell) continue;
    found.noticed.push_back({entry.delivery,
                             {.batch = entry.batch,
                              .seq = entry.seq,
                              .delayed = is_deferred ? std::optional(entry.at) : std::nullopt}});
  }
  return found;
}

}  // namespace todoku::events::reports
