// SPDX-License-Identifier: Apache-2.0
// What of a list of deliveries a filter asks for (DeliveryFilter in deliveries.h), alike on every
// back end.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "store/deliveries.h"

namespace todoku::store {

// What one question may look at: some milliseconds, whatever the account has stored.
inline constexpr std::int64_t kStretchEffortMax = 4'096;

[[nodiscard]] bool asks_texts(const DeliveryFilter& filter);
// What comes whole (a transaction, a message by SMTP) is no draft; of bulk there are few.
[[nodiscard]] bool is_among_few(const DeliveryFilter& filter);

struct ListedDelivery {
  DeliveryType type{};
  DeliveryStatus status{};
  Course course{};
  std::optional<Instant> started;
  std::string_view tags;  // joined_tags()
};
[[nodiscard]] bool matches(const ListedDelivery& delivery, const DeliveryFilter& filter);

struct ListedTexts {
  std::string_view from_address;
  std::string_view from_name;
  std::string_view unsubscribe_mailto;
  std::string_view unsubscribe_url;
  std::string_view subject;
  std::string_view text_part;
  std::string_view html_part;
};
// Adds to `effort` what searching costs.
[[nodiscard]] bool matches(const ListedTexts& texts, const DeliveryFilter& filter,
                           std::int64_t& effort);

}  // namespace todoku::store
