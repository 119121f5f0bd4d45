// SPDX-License-Identifier: Apache-2.0
// A PostgreSQL database as the target of a carriage (store/carry.h): rows by COPY, some thousands a
// transaction. A row of `meta` marks it as unfinished from the first to the last, and every
// transaction looks whether the mark is still its own: who begins anew takes it. No engine opens or
// enters such a database (fitness.h, writes_nodes.cc).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "store/carry.h"
#include "store/postgres/dialer.h"

namespace todoku::store::postgres {

class CarryTarget final : public store::CarryTarget {
 public:
  // Connects and looks at the database and its schema. Errors: as PostgresStore::open().
  [[nodiscard]] static Result<std::unique_ptr<CarryTarget>> open(const DialOptions& dial,
                                                                 bool must_keep);

  [[nodiscard]] Result<void> begin(const CarriedHead& head) override;
  [[nodiscard]] Result<void> put(const CarriedTable& table, CarriedRow row) override;
  [[nodiscard]] Result<void> end(const CarriedTable& table) override;
  [[nodiscard]] Result<void> read(const CarriedTable& table, const EachRow& each) override;
  [[nodiscard]] Result<void> finish(const CarriedHead& head) override;

 private:
  explicit CarryTarget(std::unique_ptr<Link> link) : link_(std::move(link)) {}
  [[nodiscard]] Result<void> take_mark(const std::string& mark);
  [[nodiscard]] Result<void> empty_it();
  [[nodiscard]] Result<void> may_finish();
  [[nodiscard]] Result<void> begin_piece(const CarriedTable& table);
  [[nodiscard]] Result<void> send(bool all);
  [[nodiscard]] Result<void> end_piece();

  std::unique_ptr<Link> link_;
  std::string mark_;  // while it is ours
  // -- of the piece that is open
  std::string statement_;
  std::optional<Sql> sql_;
  bool open_ = false;
  std::int64_t rows_ = 0;
  std::size_t octets_ = 0;
  std::string unsent_;
};

}  // namespace todoku::store::postgres
