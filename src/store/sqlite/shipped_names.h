// SPDX-License-Identifier: Apache-2.0
// How what was shipped is named in its place. Pure.
//
//   CHAIN/s-0000000012-1767225600123           the segment 12, whose last commit was then (ms)
//   CHAIN/b-0000000009-0003                    part 3 of the snapshot that goes on with segment 9
//   CHAIN/e-0000000009-0000000012-17672256...  its end, when it is whole: with segment 12, then
//   files/NAME-0001                            part 1 of a file that lies beside the store
//   store                                      whose it is: the id of the store, and a line feed
//
// CHAIN begins with a life of an engine: "20260105T101500Z-1f2e3d4c", or later in that life, which
// it then tells: "20260107T080000Z-5a6b7c8d-20260105T101500Z". Nobody else's names are touched.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "store/sqlite/shipped_place.h"

namespace todoku::store::sqlite {

inline constexpr std::string_view kWhoseName = "store";
// As chains are named by it; later ones are greater.
[[nodiscard]] std::string chain_time(Instant at);
// `life`: of the engine that had chains in it before; empty: the first of it.
[[nodiscard]] std::string new_chain(Instant now, std::string_view life = {});
// When that began, as chain_time() says it.
[[nodiscard]] std::string_view life_of(std::string_view chain);
// Whether something of ours may be in it.
[[nodiscard]] bool is_shipped_folder(std::string_view name);
[[nodiscard]] std::string segment_name(std::string_view chain, std::uint64_t number, Instant last);
[[nodiscard]] std::string snapshot_part_name(std::string_view chain, std::uint64_t first,
                                             std::uint64_t part);
struct SnapshotName {
  std::string chain;
  std::uint64_t first = 0;  // segment that it goes on with
  std::uint64_t whole = 0;  // segment with which it is whole
  Instant at{};             // when that was
  friend bool operator==(const SnapshotName&, const SnapshotName&) = default;
};
[[nodiscard]] std::string snapshot_end_name(const SnapshotName& snapshot);
[[nodiscard]] std::string file_part_name(std::string_view file, std::uint64_t part);

struct SegmentName {
  std::uint64_t number = 0;
  Instant last{};
  std::string name;
};
struct ChainFound {
  std::map<std::uint64_t, SegmentName> segments;
  std::map<std::uint64_t, std::vector<std::string>> snapshot_parts;  // by first
};
// What is there, by its names alone.
struct Shipped {
  std::map<std::string, ChainFound> chains;
  std::vector<SnapshotName> snapshots;                            // whole ones, oldest first
  std::map<std::string, std::vector<ShippedPlace::Entry>> files;  // their parts, in order
};
[[nodiscard]] Shipped read_names(const std::vector<ShippedPlace::Entry>& entries);

// The oldest snapshot that states since `before` need; null: there is none that is whole.
[[nodiscard]] const SnapshotName* oldest_needed(const Shipped& shipped, Instant before);

// What no state can be made of: parts of snapshots that were broken off, and what is of chains, but
// for the one that goes on, that have no whole one. None is to be on its way.
[[nodiscard]] std::vector<std::string> never_whole(const Shipped& shipped,
                                                   std::string_view goes_on);

// What may go where states since `before` are to be restored: the names of what only older ones
// need. The newest whole snapshot stays, and what it needs.
[[nodiscard]] std::vector<std::string> spare(const Shipped& shipped, Instant before);

}  // namespace todoku::store::sqlite
