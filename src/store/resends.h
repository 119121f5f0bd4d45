// SPDX-License-Identifier: Apache-2.0
// Mails that say once more what another was sent to say: which names which. Kept as long as the
// later one's delivery.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "store/keys.h"

namespace todoku::store {

class ResendReads {
 public:
  virtual ~ResendReads() = default;
  // Of which mail (its email_id) the delivery says once more what it said; nullopt: of none.
  [[nodiscard]] virtual Result<std::optional<PublicId>> resend_of(DeliveryKey key) = 0;
  // Deliveries that say once more what this mail said, latest first.
  [[nodiscard]] virtual Result<std::vector<PublicId>> resends_of(AccountKey account, PublicId email,
                                                                 std::int64_t limit) = 0;
};

class ResendWrites {
 public:
  virtual ~ResendWrites() = default;
  // Of a delivery that has just been made.
  [[nodiscard]] virtual Result<void> note_resend(DeliveryKey key, AccountKey account,
                                                 PublicId email) = 0;
};

}  // namespace todoku::store
