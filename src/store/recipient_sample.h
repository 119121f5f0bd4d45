// SPDX-License-Identifier: Apache-2.0
// Some recipients of a delivery in the place of all: the first, the last, and others evenly between
// them, with their insert codes. For composing what they would get, and for shares of the list,
// such as of those whom a suppression list stops. The same as long as the list is the same.
//
// They are found by their ids, evenly spread over those of the delivery's batches, so that a sample
// reads as many recipients of a list of ten as of ten million; of that the 20,000 batches are
// looked through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "mail/labels.h"
#include "mail/suppression.h"
#include "store/keys.h"
#include "store/logs.h"
#include "store/suppressions.h"

namespace todoku::store {

inline constexpr std::size_t kSampleMax = 1'000;

struct SampledRecipient {
  RecipientKey key;
  std::string address;
  std::vector<InsertCode> insert_codes;
  friend bool operator==(const SampledRecipient&, const SampledRecipient&) = default;
};

class SampleReads {
 public:
  virtual ~SampleReads() = default;
  // At most `wanted` (of which kSampleMax at most) of those who are to be seen of a delivery, in
  // the order of their ids; all of a list that has no more.
  [[nodiscard]] virtual Result<std::vector<SampledRecipient>> sample_recipients(
      DeliveryKey key, std::size_t wanted) = 0;
};

// Why each of them would be stopped now, by the account's lists and the installation's; nullopt: it
// would not. One statement (SuppressionReads::stops_of).
[[nodiscard]] Result<std::vector<std::optional<StopReason>>> stopped_in_sample(
    SuppressionReads& reads, AccountKey account, std::span<const SampledRecipient> sample,
    Purpose purpose, const std::string& list_id);

// For back ends: ids in these ranges, which are as log_ranges() gives them, in their order: the
// first, the last, and others evenly between.
[[nodiscard]] std::vector<PublicId> spread_ids(std::span<const LogRange> ranges,
                                               std::size_t wanted);

}  // namespace todoku::store
