// SPDX-License-Identifier: Apache-2.0
// A SQLite store as the source of a carriage (store/carry.h). It is locked against engines as long
// as this lives. What its last engine left in hand is offered again first, by the store's own rules
// (store/nodes.h), so that nothing is leased when it is carried.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "store/carry.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/dictionary.h"
#include "store/sqlite/sqlite_store.h"

namespace todoku::store {

// The store's setting that tells where it was carried to: who opens such a store must not send
// (operate/cluster_names.h). Empty: it was taken back.
inline constexpr std::string_view kCarriedAwaySetting = "carried_to";

class SqliteCarrySource final : public CarrySource {
 public:
  struct Options {
    std::filesystem::path path;  // of the database
    const Clock* clock = nullptr;
    Milliseconds lock_wait{0};
    std::string to;  // for people: where it is carried
  };
  // Errors: those of SqliteStore::open(); conflict: an import is under way.
  [[nodiscard]] static Result<std::unique_ptr<SqliteCarrySource>> open(const Options& options);

  [[nodiscard]] Store& store() { return *store_; }
  // Names of what clients can fetch about their lists (ImportJob::errors).
  [[nodiscard]] Result<std::vector<std::string>> error_files();

  [[nodiscard]] Result<CarriedHead> head() override;
  [[nodiscard]] Result<void> read(const CarriedTable& table, const EachRow& each) override;
  [[nodiscard]] Result<void> carried_away() override;

 private:
  SqliteCarrySource(std::unique_ptr<SqliteStore> store, std::unique_ptr<sqlite::Connection> db,
                    std::string to);
  class Shaper;
  [[nodiscard]] Result<void> no_import_runs();
  [[nodiscard]] Result<void> end_leases();

  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<sqlite::Connection> db_;  // reads beside it
  sqlite::Dictionary dictionary_;
  const std::string to_;
};

}  // namespace todoku::store
