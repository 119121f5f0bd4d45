// SPDX-License-Identifier: Apache-2.0
#include "store/outcome_counts.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "store/numbers.h"
#include "store/store.h"

namespace todoku::store {
namespace {

static_assert(kBatchRecipientsMax <= (1 << kSampleSeqBits));

void add_to(OutcomeTally::Of& sum, std::int64_t mails, std::int64_t sample) {
  sum.mails += mails;
  if (mails > 0 && sample > sum.sample) sum.sample = sample;
}

}  // namespace

HourNumber hour_of(Instant instant) {
  return std::chrono::floor<std::chrono::hours>(instant.time_since_epoch()).count();
}

std::int64_t outcome_sample(const RecipientKey& key) {
  return (batch_number(key.delivery, key.batch) << kSampleSeqBits) | std::int64_t{key.seq};
}

std::optional<RecipientKey> sampled(std::int64_t sample, std::optional<DeliveryKey> delivery) {
  if (sample <= 0 || !delivery) return std::nullopt;
  const BatchKey batch = batch_key(number_of(*delivery), sample >> kSampleSeqBits);
  return RecipientKey{batch.delivery, batch.batch,
                      static_cast<std::uint32_t>(sample & ((1 << kSampleSeqBits) - 1))};
}

Result<bool> OutcomeHistory::step(ReadTransaction& transaction) {
  constexpr std::int64_t kKindsMax = 2'000;
  OutcomeCountReads::Hours some = hours_;
  some.end = std::min(hours_.end, hours_.first + kHoursTogether);
  auto counts = transaction.outcomes_within(some, kKindsMax);
  if (!counts) return fail(std::move(counts.error()));
  for (OutcomeCount& each : *counts) {
    OutcomeCount& sum = counts_[{each.site, each.state, each.cause}];
    each.mails += sum.mails;
    if (!each.sample) each.sample = sum.sample;
    sum = std::move(each);
  }
  hours_.first = some.end;
  return hours_.first >= hours_.end;
}

std::vector<OutcomeCount> OutcomeHistory::take(std::size_t limit) {
  std::vector<OutcomeCount> counts;
  counts.reserve(counts_.size());
  for (auto& [kind, sum] : counts_) counts.push_back(std::move(sum));
  counts_.clear();
  keep_largest(counts, limit);
  return counts;
}

void keep_largest(std::vector<OutcomeCount>& counts, std::size_t limit) {
  std::erase_if(counts, [](const OutcomeCount& count) { return count.mails <= 0; });
  std::ranges::sort(counts, [](const OutcomeCount& a, const OutcomeCount& b) {
    return std::tuple(-a.mails, std::string_view(a.site), a.state, a.cause) <
           std::tuple(-b.mails, std::string_view(b.site), b.state, b.cause);
  });
  if (counts.size() > limit) counts.resize(limit);
}

void OutcomeTally::add(const Change& change) {
  if (change.is == RecipientState::pending) return;
  const std::int64_t sample = outcome_sample(change.key);
  const Kind kind(std::string(change.site), change.is, change.cause);
  add_to(hours[{change.account, kind}], 1, sample);
  add_to(hours[{kAllAccounts, kind}], 1, sample);
  if (!change.is_bulk) return;
  add_to(deliveries[{change.key.delivery, kind}], 1, sample);
  // A bounce after acceptance, or after doubt: the recipient counts once.
  const bool was_doubted = change.came_back && change.was == RecipientState::unknown;
  if (change.was == RecipientState::delivered || was_doubted) {
    const Kind before(std::string(change.site), change.was, change.cause_before);
    add_to(deliveries[{change.key.delivery, before}], -1, 0);
  }
}

}  // namespace todoku::store
