// SPDX-License-Identifier: Apache-2.0
// How far an endpoint has read: where the stream goes on, and before that what its owner wants told
// again. All of it is the policy's cursor, so it is written with what depends on it. Pure.
//
//   place = varint *replay varint event_place
//           number of replays, the first of which is read first; orders; where the stream goes on
//   replay = octet [zigzag] event_place event_place
//           1 if it is about one delivery; its key; after which, up to which
//   event_place = varint varint varint       generation, commit, entry
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/event_sheet.h"
#include "store/keys.h"

namespace todoku::events::webhooks {

// More are refused until some are done.
inline constexpr std::size_t kReplaysMax = 8;

struct Replay {
  std::optional<store::DeliveryKey> delivery;  // events about this one only
  store::EventPlace after;
  store::EventPlace until;  // this one included
  friend bool operator==(const Replay&, const Replay&) = default;
};

struct ReadingPlace {
  std::vector<Replay> replays;
  // How often single events were asked for. Each makes another place: whoever tells the endpoint
  // begins anew from what is written, for the event may be one that he told since he wrote.
  std::uint64_t orders = 0;
  store::EventPlace after;  // of the stream
  friend bool operator==(const ReadingPlace&, const ReadingPlace&) = default;
};

[[nodiscard]] std::string pack(const ReadingPlace& place);
// Empty: before everything. Errors: corrupt.
[[nodiscard]] Result<ReadingPlace> unpack_reading_place(std::string_view packed);

}  // namespace todoku::events::webhooks
