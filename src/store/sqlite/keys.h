// SPDX-License-Identifier: Apache-2.0
// How the keys of the domain become row ids.
//
// One number line serves deliveries and batches: a delivery's key is a number of it, and batch b of
// delivery d has number d + b, taken when the batch is made. A transaction takes one number, which
// is both, so its batch needs no index to be found. A recipient's row id is (batch number, seq), so
// recipients lie together by batch, and whatever is appended goes to the end of the table, where
// SQLite fills pages completely. Numbers are never used twice.
#pragma once

#include <cstdint>

#include "store/keys.h"

namespace todoku::store::sqlite {

inline constexpr unsigned kSeqBits = 9;
inline constexpr std::int64_t kBatchRecipientsMax = 500;
static_assert(kBatchRecipientsMax <= (1 << kSeqBits));

[[nodiscard]] constexpr std::int64_t number_of(DeliveryKey key) {
  return static_cast<std::int64_t>(key);
}
[[nodiscard]] constexpr std::int64_t batch_number(DeliveryKey delivery, std::uint32_t batch) {
  return number_of(delivery) + batch;
}
[[nodiscard]] constexpr std::int64_t batch_number(const BatchKey& key) {
  return batch_number(key.delivery, key.batch);
}
[[nodiscard]] constexpr BatchKey batch_key(std::int64_t delivery, std::int64_t number) {
  return {DeliveryKey{delivery}, static_cast<std::uint32_t>(number - delivery)};
}
[[nodiscard]] constexpr std::int64_t recipient_row(std::int64_t batch, std::int64_t seq) {
  return (batch << kSeqBits) | seq;
}
[[nodiscard]] constexpr std::int64_t recipient_row(const RecipientKey& key) {
  return recipient_row(batch_number(key.delivery, key.batch), key.seq);
}
// All recipients of a batch have row ids in [first, last].
[[nodiscard]] constexpr std::int64_t first_row(std::int64_t batch) {
  return recipient_row(batch, 0);
}
[[nodiscard]] constexpr std::int64_t last_row(std::int64_t batch) {
  return recipient_row(batch + 1, 0) - 1;
}
[[nodiscard]] constexpr std::int64_t batch_of(std::int64_t row) {
  return row >> kSeqBits;
}
[[nodiscard]] constexpr std::uint32_t seq_of(std::int64_t row) {
  return static_cast<std::uint32_t>(row & ((1 << kSeqBits) - 1));
}

}  // namespace todoku::store::sqlite
