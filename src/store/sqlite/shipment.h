// SPDX-License-Identifier: Apache-2.0
// The octets of what is shipped of a store (log_shipper.h). Pure.
//
//   shipment = magic kind(octet) text(chain) varint(number) varint(other) zigzag(time, ms)
//              varint(page octets) varint(pages of the file) previous(32) text(body)
//              check(32)
//   check    = SHA-256 of all before it
//   body     of a segment, or of a part of a snapshot: *(varint(page number, from 1) page)
//            of a snapshot's end: the checks of its parts
//            of a file's part: octets
//
// A segment has the last image of every page that its commits have changed, and ends where a commit
// does; `previous` is the check of the segment before it, so that one that is missing, changed or
// in another's place is seen. This tells damage from content; it is no proof of who wrote it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/digest.h"
#include "base/result.h"

namespace todoku::store::sqlite {

// More is damaged: no part of anything is so large.
inline constexpr std::size_t kShipmentOctetsMax = std::size_t{256} << 20U;

enum class ShipmentKind : std::uint8_t {
  segment = 1,
  snapshot_part = 2,
  snapshot_end = 3,
  file = 4
};

struct Shipment {
  ShipmentKind kind = ShipmentKind::segment;
  std::string chain;         // of one life of an engine, or since it fell behind
  std::uint64_t number = 0;  // from 1: of a segment in its chain, of a part in what it is of; of a
                             // snapshot's end: the first segment that may have later pages
  std::uint64_t other = 0;   // of a snapshot's end: the segment from which on it is whole; of a
                             // file's part: 1, it is the last
  Instant time{};            // of the last commit in it; of a snapshot's end: when it is whole
  std::uint32_t page_octets = 0;
  std::uint32_t file_pages = 0;  // of the database after it
  Sha256 previous{};
  std::string body = {};
  friend bool operator==(const Shipment&, const Shipment&) = default;
};

[[nodiscard]] inline std::string_view view_of(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}
// Its body is not copied where it is given away and has kPackedBesides octets of room left.
inline constexpr std::size_t kPackedBesides = 256;
[[nodiscard]] std::string pack(Shipment shipment);
// The last octets of what pack() gave.
[[nodiscard]] Sha256 check_of(std::string_view packed);
// corrupt: it is damaged, or none of ours.
[[nodiscard]] Result<Shipment> unpack_shipment(std::string_view octets);

void put_page(std::string& body, std::uint32_t number, std::string_view page);
// corrupt: the body is no whole pages, or has a number of none. Errors also: those of `each`.
[[nodiscard]] Result<void> each_page(
    const Shipment& shipment,
    const std::function<Result<void>(std::uint32_t number, std::string_view page)>& each);

}  // namespace todoku::store::sqlite
