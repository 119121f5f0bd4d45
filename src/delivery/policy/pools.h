// SPDX-License-Identifier: Apache-2.0
// Which source of a pool sends a batch.
//
// Intuition (rendezvous hashing, Thaler and Ravishankar 1996): every source draws a number for the
// batch, and the highest wins. A batch keeps its source from try to try, which greylisting
// remembers; when a source goes, only its own batches move, to all others evenly; when it comes
// back they return.
//
// With weights (weighted rendezvous hashing, Schindelhauer and Schomaker 2005): of u, drawn evenly
// from 0 to 1, a source's bid is -ln(u) / weight, and the lowest wins. It gets its share of the
// batches, and when a weight changes, only those move that it must gain or lose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mail/states.h"

namespace todoku::delivery::policy {

// The place of the source in `live` that sends batch `batch` of `delivery`; nullopt if there is
// none. Names decide, not places: any order and any node answers the same.
[[nodiscard]] std::optional<std::size_t> choose_source(std::span<const std::string> live,
                                                       std::int64_t delivery, std::uint32_t batch);

// What is configured of a source as one of a pool.
struct PoolMember {
  std::string name;
  std::uint32_t weight = 1;            // 0: only where there is no other
  std::optional<TrafficClass> only{};  // mail of this class alone; nullopt: of any
};

// The pools of the two classes of traffic. A class for which sources are reserved is sent from
// these alone, and waits while none of them lives: its fate is not shared. Other classes share what
// is reserved for nobody. Immutable, so safe to share.
class Pools {
 public:
  Pools() = default;
  // A name that is not among them counts as an ordinary member. Without any source for a class all
  // of them are.
  explicit Pools(std::vector<PoolMember> members);

  // As choose_source(), of those live sources that send the class.
  [[nodiscard]] std::optional<std::size_t> choose(std::span<const std::string> live,
                                                  TrafficClass traffic, std::int64_t delivery,
                                                  std::uint32_t batch) const;

 private:
  [[nodiscard]] const PoolMember* find(std::string_view name) const;
  [[nodiscard]] bool sends(const PoolMember* member, TrafficClass traffic) const;

  std::vector<PoolMember> members_;
  bool plain_ = true;  // all weigh the same and send everything
};

// Names a lane (site and source) in ledgers that go by one name.
[[nodiscard]] std::string lane_name(std::string_view site, std::string_view source);

}  // namespace todoku::delivery::policy
