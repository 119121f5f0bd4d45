// SPDX-License-Identifier: Apache-2.0
// One number line serves deliveries and batches: a delivery's key is a number of it, and batch b of
// delivery d has number d + b, taken when the batch is made. A transaction takes one number, which
// is both, so its batch needs no index to be found. Numbers are never used twice.
//
// Processes take them in blocks, so a batch that another process adds may have a lower number than
// its delivery: the distance has a sign, and is kept in the 32 bits of BatchKey::batch.
#pragma once

#include <cstdint>

#include "store/keys.h"

namespace todoku::store {

inline constexpr std::int64_t kBatchRecipientsMax = 500;

[[nodiscard]] constexpr std::int64_t number_of(DeliveryKey key) {
  return static_cast<std::int64_t>(key);
}
[[nodiscard]] constexpr std::int64_t batch_number(DeliveryKey delivery, std::uint32_t batch) {
  return number_of(delivery) + static_cast<std::int32_t>(batch);
}
[[nodiscard]] constexpr std::int64_t batch_number(const BatchKey& key) {
  return batch_number(key.delivery, key.batch);
}
[[nodiscard]] constexpr BatchKey batch_key(std::int64_t delivery, std::int64_t number) {
  return {DeliveryKey{delivery}, static_cast<std::uint32_t>(number - delivery)};
}
// Whether a batch of this number can be named as one of the delivery: not of one that is two
// billion numbers old.
[[nodiscard]] constexpr bool is_near(DeliveryKey delivery, std::int64_t number) {
  return batch_number(batch_key(number_of(delivery), number)) == number;
}

}  // namespace todoku::store
