// SPDX-License-Identifier: Apache-2.0
#include "delivery/feedback_id.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/digest.h"
#include "mail/labels.h"

namespace todoku::delivery {
namespace {

constexpr std::size_t kListOctetsMax = 100;  // of 200 that the field may have (mime)
constexpr std::size_t kSenderDigits = 11;

bool may_be_part(std::string_view text) {
  return !text.empty() && text.size() <= kListOctetsMax &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F && c != ':'; });
}

}  // namespace

std::vector<std::string> feedback_id(const store::Delivery& delivery,
                                     std::string_view installation) {
  if (delivery.type != DeliveryType::bulk) return {};
  const auto account = static_cast<std::int64_t>(delivery.account);
  const std::string_view purpose = to_string(purpose_of(delivery.labels.purpose, delivery.type));
  const std::string& list = delivery.labels.list_id;
  return {fmt::format("a{}d{}", account, delivery.id),
          may_be_part(list) ? list : std::string(purpose), fmt::format("a{}", account),
          "t" + sha256_hex(fmt::format("feedback {}", installation)).substr(0, kSenderDigits)};
}

}  // namespace todoku::delivery
