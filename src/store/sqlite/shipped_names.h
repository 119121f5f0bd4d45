// SPDX-License-Identifier: Apache-2.0
// How what was shipped is named in its place. Pure.
//
//   CHAIN/s-0000000012-1767225600123           the segment 12, whose last commit was then (ms)
//   CHAIN/b-0000000009-0003                    part 3 of the snapshot that goes on with segment 9
//   CHAIN/e-0000000009-0000000012-17672256...  its end, when it is whole: with segment 12, then
//   files/NAME-0001                            part 1 of a file that lies beside the store
//
// CHAIN is of one life of an engine: "20260105T101500Z-1f2e3d4c". Nobody else's names are touched.
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

[[nodiscard]] std::string new_chain(Instant now);
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

// What may go where states since `before` are to be restored: the names of what only older ones
// need. The newest whole snapshot stays, and what it needs.
[[nodiscard]] std::vector<std::string> spare(const Shipped& shipped, Instant before);

}  // namespace todoku::store::sqlite
