// SPDX-License-Identifier: Apache-2.0
// Who does what only one node may do at a time: one scheduler leads, a source is sent from by one
// courier. Rows of the store in the store's time; there is no other coordinator.
//
//   leadership   free ──lead──> led ──lead (every 2 s)──> led ──stop_leading──> free
//                                │ 8 s of the store's time without a renewal, or its node leaves
//                                v or becomes void
//                              lapsed ──lead, by anybody──> led, with a greater token
//
//   a source     free ──take──> owned ──give, or its node leaves──> free
//                                │ its node becomes void: nobody knows yet whether it has stopped
//                                v
//                              void ──take, by anybody──> owned, with a greater token
//
// A source hangs on its node's lease (nodes.h): nothing is renewed per source. What a node had is
// free, too, when another enters in its place (NewNode::succeeds): then it is known to be gone.
//
// The store's clock may leap, so that a lease has ended here whose holder is at work. Whoever takes
// what was not given up has first watched it unrenewed for as long as a lease is by its own steady
// clock (delivery/policy/renewal_watch.h); the store cannot tell, and does not ask.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/keys.h"

namespace todoku::store {

inline constexpr Milliseconds kLeadership = std::chrono::seconds(8);
inline constexpr Milliseconds kLeadEvery = std::chrono::seconds(2);
// A reign that is longer than that by more than so much was given by another clock.
inline constexpr Milliseconds kClocksApart = std::chrono::seconds(1);

struct Leader {
  NodeKey node{};
  std::string name;         // of the place where it runs; empty: its node is gone
  std::uint64_t token = 0;  // of this reign
  Milliseconds left{};      // in the store's time; negative: it has lapsed for so long
  Instant until{};          // tells one renewal from the next, whatever the clocks do
  bool is_void = false;     // its node counts as dead, or is gone
};

struct SourceOwner {
  std::string source;
  NodeKey node{};
  std::string name;         // of the place where it runs; empty: its node is gone
  std::uint64_t token = 0;  // of this ownership
  Milliseconds left{};      // of its node's lease, in the store's time; negative: it has lapsed
  Instant until{};          // of its node's lease: tells one renewal from the next
  bool is_void = false;     // its node counts as dead, or is gone
};

class ClusterReads {
 public:
  virtual ~ClusterReads() = default;
  // nullopt: nobody, or who led has given it up.
  [[nodiscard]] virtual Result<std::optional<Leader>> leader() = 0;
  // Of every source that was not given up, by name.
  [[nodiscard]] virtual Result<std::vector<SourceOwner>> source_owners() = 0;
};

class ClusterWrites {
 public:
  virtual ~ClusterWrites() = default;
  // Takes what is free, lapsed or its void leader's, or renews one's own; else says who leads. A
  // reign longer than they are was given by a clock that was ahead of this one and counts as
  // lapsed. conflict if the node is void or gone.
  [[nodiscard]] virtual Result<Leader> lead(NodeKey node) = 0;
  // Nothing happens if another leads.
  [[nodiscard]] virtual Result<void> stop_leading(NodeKey node) = 0;
  // Takes what is free or its void owner's, or says that it is one's own; else says whose it is.
  // conflict if the node is void or gone.
  [[nodiscard]] virtual Result<SourceOwner> take_source(NodeKey node, std::string_view source) = 0;
  // Nothing happens if it is another's.
  [[nodiscard]] virtual Result<void> give_source(NodeKey node, std::string_view source) = 0;
};

}  // namespace todoku::store
