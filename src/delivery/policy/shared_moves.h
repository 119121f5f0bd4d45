// SPDX-License-Identifier: Apache-2.0
// By which source a batch that domains share goes, where sites do not want the one that it would go
// by (LaneRest::elsewhere). Such a batch has no site of its own, so that only its way tells: if a
// source has kept none of it, and some site does not want the source, then it is what is left for
// that site, and the source's others may have it. Pure; not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace todoku::delivery::policy {

class SharedMoves {
 public:
  // Batches that are remembered; more go by the source that they would go by.
  static constexpr std::size_t kMost = 10'000;

  using Batch = std::pair<std::int64_t, std::uint32_t>;  // delivery, its number

  // Some site does not want the source until then.
  void unwanted(std::string_view source, SteadyInstant until) {
    auto& latest = until_.try_emplace(std::string(source), until).first->second;
    latest = std::max(latest, until);
  }
  // The source has given back all of the batch that it was offered, untried.
  void came_back(Batch batch, std::string_view source) {
    if (!until_.contains(source)) return;
    if (shunned_.size() >= kMost && !shunned_.contains(batch)) return;
    std::vector<std::string>& sources = shunned_[batch];
    if (std::ranges::find(sources, source) == sources.end()) sources.emplace_back(source);
  }
  // Mails of it were tried, or it is over.
  void went(Batch batch) { shunned_.erase(batch); }
  // Whether the batch goes by another source of its pool, if there is any.
  [[nodiscard]] bool shuns(Batch batch, std::string_view source) const {
    if (shunned_.empty() || !until_.contains(source)) return false;
    const auto known = shunned_.find(batch);
    return known != shunned_.end() &&
           std::ranges::find(known->second, source) != known->second.end();
  }
  // Now and then. Where no site minds a source any more, its batches are its own again.
  void look(SteadyInstant now) {
    if (until_.empty()) return;
    const auto over = std::erase_if(until_, [&](const auto& each) { return each.second <= now; });
    if (over == 0) return;
    std::erase_if(shunned_, [this](const auto& each) {
      return std::ranges::none_of(
          each.second, [this](const std::string& source) { return until_.contains(source); });
    });
  }

 private:
  std::map<std::string, SteadyInstant, std::less<>> until_;  // by source
  std::map<Batch, std::vector<std::string>> shunned_;        // sources
};

}  // namespace todoku::delivery::policy
