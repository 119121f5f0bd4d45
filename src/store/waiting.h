// SPDX-License-Identifier: Apache-2.0
// What an engine would send: asked before one is let loose on data that others may be sending from
// as well (operate/adoption.cc), and when what a credential handed in is dropped. Questions in
// stretches, because nothing indexes what waits for later.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/keys.h"

namespace todoku::store {

struct WaitingDelivery {
  DeliveryKey key{};
  bool started = false;         // else it is reserved, or about to be started
  std::int64_t recipients = 0;  // that are in no terminal state
  std::string credential;       // whose message it is, by SMTP; else empty
};

struct WaitingStretch {
  std::vector<WaitingDelivery> deliveries;
  std::optional<DeliveryKey> next;  // to go on after; nullopt: there are no more
};

// Of deliveries that have started.
struct OpenStretch {
  std::vector<RecipientKey> recipients;
  std::optional<std::int64_t> next;  // where to go on; nullopt: there are no more. Opaque
};

class WaitingReads {
 public:
  virtual ~WaitingReads() = default;
  // By key, after `after`; looks at `limit` deliveries, whether or not they wait.
  [[nodiscard]] virtual Result<WaitingStretch> waiting_deliveries(DeliveryKey after,
                                                                  std::int64_t limit) = 0;
  // Those that are in no terminal state, whoever holds them; from `from` (0: the first) on. Looks
  // at `limit` batches.
  [[nodiscard]] virtual Result<OpenStretch> open_recipients(std::int64_t from,
                                                            std::int64_t limit) = 0;
};

}  // namespace todoku::store
