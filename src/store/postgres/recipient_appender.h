// SPDX-License-Identifier: Apache-2.0
// Turns new recipients of a draft into batches and rows: large domains and large calls get batches
// of their own, single recipients fill the open batch of the first live section.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "store/batching.h"
#include "store/deliveries.h"
#include "store/postgres/marks.h"
#include "store/postgres/rows.h"
#include "store/postgres/session.h"

namespace todoku::store::postgres {

class RecipientAppender {
 public:
  RecipientAppender(Session& session, const Delivery& delivery)
      : session_(session), delivery_(delivery) {}

  // Email ids in the order given. Locks the open batch, if it is filled.
  [[nodiscard]] Result<std::vector<PublicId>> append(std::span<const NewRecipient> recipients);

 private:
  // Sees to it that there is a live section.
  [[nodiscard]] Result<void> find_section();
  [[nodiscard]] Result<void> append_group(std::span<const std::uint32_t> group,
                                          std::string_view domain);
  [[nodiscard]] Result<void> append_singly(std::span<const std::uint32_t> group);
  // The open batch, locked, or a new one.
  [[nodiscard]] Result<BatchRow> open_batch();
  [[nodiscard]] Result<BatchRow> new_batch(std::string_view domain, std::int64_t capacity,
                                           std::int64_t size);
  [[nodiscard]] Result<void> add_row(const BatchRow& batch, std::int64_t seq, std::uint32_t place);
  [[nodiscard]] Result<void> write();

  Session& session_;
  const Delivery& delivery_;
  std::span<const NewRecipient> recipients_;
  std::vector<PublicId> ids_;
  std::int64_t section_ = 0;
  std::int64_t open_ = 0;  // the section's open batch; 0: none

  Column number_{kInt8}, domain_{kText}, email_{kInt8}, capacity_{kInt8}, size_{kInt8};
  Column batch_{kInt8}, seq_{kInt8}, address_{kText}, hash_{kInt8}, codes_{kBytea}, made_{kInt8};
  MarkColumns marks_;
};

}  // namespace todoku::store::postgres
