// SPDX-License-Identifier: Apache-2.0
#include "store/drafts.h"

#include <utility>

#include <fmt/format.h>

namespace todoku::store {

Result<Delivery> checked_draft(Result<Delivery> delivery) {
  if (delivery && delivery->status != DeliveryStatus::edit) {
    return fail(ErrorKind::conflict,
                fmt::format("the delivery is in status {}, not edit", to_string(delivery->status)));
  }
  return delivery;
}

Result<Delivery> checked_not_begun(Result<Delivery> delivery) {
  if (!delivery) return delivery;
  const bool is_to_start =
      delivery->status == DeliveryStatus::reserve || delivery->status == DeliveryStatus::wait;
  if (is_to_start && delivery->type == DeliveryType::bulk) return delivery;
  return checked_draft(std::move(delivery));
}

Result<void> check_one_more_draft(const Result<std::int64_t>& drafts, std::int64_t drafts_max) {
  if (!drafts) return fail(drafts.error());
  if (*drafts < drafts_max) return {};
  return fail(ErrorKind::limit_exceeded, fmt::format("there are {} drafts already", *drafts));
}

}  // namespace todoku::store
