// SPDX-License-Identifier: Apache-2.0
// How far a delivery is, as it is told to who asks (verbs.cc) and to who watches
// (progress_watch.h).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/json.h"
#include "store/rates.h"
#include "store/steering.h"
#include "store/store.h"

namespace todoku::api {

struct Progress {
  store::Delivery delivery;  // its head
  std::optional<Instant> canary_until;
  std::vector<store::RateState> holds;
  store::Steering steering;
  std::optional<store::SteeredPause> pause;
  std::optional<store::PaceTooSlow> too_slow;
  std::optional<store::ApprovalState> approval;  // nullopt: none was ever asked for
};

// `life`: of a bulk (Options::bulk_life); `now`: of the store's clock. not_found.
[[nodiscard]] Result<Progress> read_progress(store::ReadTransaction& reader,
                                             store::AccountKey account, store::PublicId id,
                                             Milliseconds life, Instant now);

// "sending", "paused", ...: as docs/api.md lists them.
[[nodiscard]] std::string_view state_word(const store::Delivery& delivery);

// Into an object that is open.
void progress_members(http::JsonWriter& json, const Progress& progress);

}  // namespace todoku::api
