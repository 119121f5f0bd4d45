// SPDX-License-Identifier: Apache-2.0
#include "store/outcome_counts.h"

#include <chrono>

#include "store/numbers.h"

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

void OutcomeTally::add(const Change& change) {
  if (change.is == RecipientState::pending) return;
  const std::int64_t sample = outcome_sample(change.key);
  const Kind kind(std::string(change.site), change.is, change.cause);
  add_to(hours[{change.account, kind}], 1, sample);
  add_to(hours[{kAllAccounts, kind}], 1, sample);
  if (!change.is_bulk) return;
  add_to(deliveries[{change.key.delivery, kind}], 1, sample);
  // A bounce after acceptance: the recipient counts once.
  if (change.was == RecipientState::delivered) {
    const Kind before(std::string(change.site), change.was, Cause::none);
    add_to(deliveries[{change.key.delivery, before}], -1, 0);
  }
}

}  // namespace todoku::store
