// SPDX-License-Identifier: Apache-2.0
// A search of the log (logs.h), as a walk of short questions (walks.h). It goes by what is asked
// for: an address by its hash, states other than sent and codes by `not_sent`, all else from the
// newest batch backwards; a delivery and a span of time become ranges of ids first. What cannot be
// answered within so much work is refused, never answered with fewer rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/logs.h"
#include "store/store.h"

namespace todoku::store {

// All conditions must hold; an empty one always does.
struct LogFilter {
  AccountKey account{};
  std::optional<PublicId> below;  // email_id
  std::int64_t limit = 100;
  std::string address;            // canonical
  std::optional<Mark> mark = {};  // with an address, both must be right
  std::vector<DeliveryType> types;
  std::optional<PublicId> delivery;
  std::vector<RecipientState> states;
  std::vector<int> codes;
  std::optional<Instant> start_from;  // when the delivery started; inclusive, as is the next
  std::optional<Instant> start_to;
};

class LogSearch {
 public:
  explicit LogSearch(LogFilter filter) : filter_(std::move(filter)) {}

  // True when there is nothing left to do. limit_exceeded: too much would have to be looked at.
  [[nodiscard]] Result<bool> step(ReadTransaction& transaction);
  // With the time of the first opening.
  [[nodiscard]] std::vector<Story> take() { return std::move(stories_); }

 private:
  enum class Stage : std::uint8_t { begin, late_starts, order, go };

  [[nodiscard]] Result<void> begin(ReadTransaction& transaction);
  [[nodiscard]] Result<void> begin_with_delivery(ReadTransaction& transaction);
  [[nodiscard]] Result<void> begin_with_span(ReadTransaction& transaction);
  [[nodiscard]] Result<void> add_late_start(ReadTransaction& transaction);
  void put_in_order();
  [[nodiscard]] Result<void> go(ReadTransaction& transaction);
  [[nodiscard]] Result<void> find_by_address(ReadTransaction& transaction);
  [[nodiscard]] Result<void> find_not_sent(ReadTransaction& transaction);
  [[nodiscard]] Result<void> find_by_batch(ReadTransaction& transaction);
  [[nodiscard]] Result<void> tell(ReadTransaction& transaction);

  [[nodiscard]] bool may_be_sent() const;
  [[nodiscard]] std::vector<LogKey> keys() const;
  [[nodiscard]] bool takes(const LogHit& hit) const;
  [[nodiscard]] bool takes(const LogBatch& batch) const;
  [[nodiscard]] bool takes(const Story& story) const;
  [[nodiscard]] bool in_span(Instant started) const;
  [[nodiscard]] std::int64_t wanted() const;
  [[nodiscard]] bool in_ranges(PublicId id) const;
  // What is below `id` is still to be looked at.
  void looked_down_to(PublicId id);

  const LogFilter filter_;
  Stage stage_ = Stage::begin;
  std::vector<DeliveryKey> late_;
  std::vector<LogRange> ranges_;  // still to be looked at; in the end newest last
  std::vector<PublicId> found_;   // above `ranges_`, not told yet; newest last
  std::optional<std::int64_t> addressed_from_;
  std::int64_t addressed_most_ = 0;
  std::int64_t effort_ = 0;
  std::vector<Story> stories_;
};

}  // namespace todoku::store
