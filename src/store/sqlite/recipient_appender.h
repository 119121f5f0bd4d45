// SPDX-License-Identifier: Apache-2.0
// Turns new recipients into batches and rows: which domains get batches of their own, which share,
// and what room a batch keeps for single recipients to come.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {

class RecipientAppender {
 public:
  // `section`: 0 for transactions.
  RecipientAppender(SqliteWriteTransaction& transaction, DeliveryKey delivery, AccountKey account,
                    std::int64_t section, TrafficClass traffic)
      : transaction_(transaction),
        delivery_(delivery),
        account_(account),
        section_(section),
        traffic_(traffic) {}

  // Appends to a section. `present`: recipients it has already, from which the room of a new open
  // batch follows. Email ids are returned in the order given.
  [[nodiscard]] Result<std::vector<PublicId>> append(std::span<const NewRecipient> recipients,
                                                     std::int64_t present);
  // Makes the batches of a transaction, numbered from its delivery's own number on, leased to
  // `holder` or waiting, and says so in `accepted`. `stopped`: why a recipient, by place, is
  // dropped.
  [[nodiscard]] Result<void> append_transaction(const Accept& accept,
                                                std::span<const std::optional<StopReason>> stopped,
                                                NodeKey holder, Accepted& accepted);

 private:
  [[nodiscard]] Result<void> append_group(std::span<const NewRecipient> recipients,
                                          std::span<const std::uint32_t> group,
                                          std::string_view domain, std::vector<PublicId>& ids);
  [[nodiscard]] Result<void> append_singly(std::span<const NewRecipient> recipients,
                                           std::span<const std::uint32_t> group,
                                           std::int64_t present, std::vector<PublicId>& ids);
  [[nodiscard]] Result<BatchRow> open_batch(std::int64_t present);
  [[nodiscard]] Result<BatchRow> new_batch(std::string_view domain, std::int64_t capacity,
                                           std::int64_t size);
  [[nodiscard]] Result<void> insert_batch(const BatchRow& batch);
  [[nodiscard]] Result<void> insert_recipient(const BatchRow& batch, std::int64_t seq,
                                              const NewRecipient& recipient);
  [[nodiscard]] Result<void> insert_dropped(const BatchRow& batch, std::int64_t seq,
                                            StopReason reason);

  SqliteWriteTransaction& transaction_;
  DeliveryKey delivery_;
  AccountKey account_;
  std::int64_t section_;
  TrafficClass traffic_;
  std::string codes_;  // reused between recipients
};

}  // namespace todoku::store::sqlite
