// SPDX-License-Identifier: Apache-2.0
// What things are called. Internal keys have 64 bits and are never shown outside; public ids are
// what the API speaks.
#pragma once

#include <compare>
#include <cstdint>

namespace todoku::store {

enum class AccountKey : std::int64_t {};
enum class DeliveryKey : std::int64_t {};
enum class PersonKey : std::int64_t {};

// A process that works on the store (nodes.h). Never used twice.
enum class NodeKey : std::int64_t {};
inline constexpr NodeKey kNobody{0};

// Public ids: per account, from 1, below 2^31 until that is used up, then up to 2^53. One number
// space each for deliveries, recipients (email_id, which is also maillog_id) and jobs. A node takes
// them in blocks: they increase per node, and gaps mean nothing.
using PublicId = std::int64_t;

struct BatchKey {
  DeliveryKey delivery{};
  std::uint32_t batch = 0;
  friend auto operator<=>(const BatchKey&, const BatchKey&) = default;
};

struct RecipientKey {
  DeliveryKey delivery{};
  std::uint32_t batch = 0;
  std::uint32_t seq = 0;  // position within the batch
  friend auto operator<=>(const RecipientKey&, const RecipientKey&) = default;
  [[nodiscard]] BatchKey batch_key() const { return {delivery, batch}; }
};

}  // namespace todoku::store
