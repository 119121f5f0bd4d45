// SPDX-License-Identifier: Apache-2.0
// News: what processes tell the one that leads, where they are several (delivery/feedback.h says
// what). A row for what one of them has gathered; whoever leads reads and drops it. Nothing hangs
// on it: news may come late, twice or never, so who tells drops what nobody has read for a minute.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/keys.h"

namespace todoku::store {

inline constexpr Milliseconds kNewsKept = std::chrono::minutes(1);
// Octets of one piece.
inline constexpr std::size_t kNewsMax = 64U << 10U;

struct NewsItem {
  std::int64_t key = 0;  // names it; says nothing about the order
  NodeKey teller = kNobody;
  std::string body;
};

class NewsReads {
 public:
  virtual ~NewsReads() = default;
  // At most `limit`, the oldest first.
  [[nodiscard]] virtual Result<std::vector<NewsItem>> news(std::int64_t limit) = 0;
};

class NewsWrites {
 public:
  virtual ~NewsWrites() = default;
  // invalid_input if it is longer than kNewsMax.
  [[nodiscard]] virtual Result<void> tell_news(NodeKey teller, std::string_view body) = 0;
  // They have been read.
  [[nodiscard]] virtual Result<void> drop_news(std::span<const std::int64_t> keys) = 0;
};

}  // namespace todoku::store
