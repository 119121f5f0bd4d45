// SPDX-License-Identifier: Apache-2.0
// Reads the store's events for what senders of relayed mail may want to be told.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "delivery/policy/notify_policy.h"
#include "events/reports/reader_state.h"
#include "store/store.h"

namespace todoku::events::reports {

struct Noticed {
  store::DeliveryKey delivery{};
  Concerned recipient;
};

struct NoticedPage {
  std::vector<Noticed> noticed;
  store::EventPlace next;
  store::AccountKey next_account{};
  bool more = false;
  bool lost = false;  // what followed the place was deleted before it was read
};

inline constexpr std::int64_t kEventsOfPage = store::kEventsLimitMax;

// On from where `state` stands. Of those that were deferred only who has waited for
// `options.delay_after` is noticed, though at each try from then on: whether it is the first is
// seen in its story. Errors: of the store.
[[nodiscard]] Result<NoticedPage> notice(store::ReadTransaction& transaction,
                                         const ReaderState& state,
                                         const delivery::policy::NotifyOptions& options);

}  // namespace todoku::events::reports
