// SPDX-License-Identifier: Apache-2.0
// The octets of a message that is relayed and too large for one row: in pieces that are written as
// they come, seen by nobody before a delivery names them (NewDelivery::relayed_data). From then on
// they are the data of its only attachment, and live and go with it.
//
// What no delivery names goes after an hour without a piece, and after a minute if the node that
// began it is void or gone: a part of purge_deleted().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "store/keys.h"

namespace todoku::store {

// All pieces but the last have so many, so that a place in the message says in which piece it is.
inline constexpr std::size_t kRelayedPieceOctets = std::size_t{256} * 1024;
inline constexpr Milliseconds kUnnamedRelayedFor = std::chrono::hours(1);
inline constexpr Milliseconds kUnnamedRelayedOfDeadFor = std::chrono::minutes(1);

enum class RelayedKey : std::int64_t {};

struct RelayedData {
  RelayedKey key{};
  std::uint64_t octets = 0;  // of all pieces
};

// Octets of so many pieces that are full.
[[nodiscard]] constexpr std::int64_t full_pieces(std::int64_t pieces) {
  return pieces * static_cast<std::int64_t>(kRelayedPieceOctets);
}

[[nodiscard]] inline Result<void> check_relayed_piece(std::string_view octets) {
  if (!octets.empty() && octets.size() <= kRelayedPieceOctets) return {};
  return fail(ErrorKind::invalid_input, "a piece of a message is empty or too long");
}

class RelayedWrites {
 public:
  virtual ~RelayedWrites() = default;
  // `node`: whose process receives it.
  [[nodiscard]] virtual Result<RelayedKey> begin_relayed(NodeKey node) = 0;
  // The next one, `which` from 0. invalid_input: empty, or more than kRelayedPieceOctets; conflict:
  // another is the next, or the last one was not full; not_found: a delivery has named them, or
  // they were removed.
  [[nodiscard]] virtual Result<void> add_relayed_piece(RelayedKey key, std::int64_t which,
                                                       std::string_view octets) = 0;
  // They go by purge_deleted(). Succeeds when they are not there, or are a delivery's, whose they
  // stay.
  [[nodiscard]] virtual Result<void> drop_relayed(RelayedKey key) = 0;
};

}  // namespace todoku::store
