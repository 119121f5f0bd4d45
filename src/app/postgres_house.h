// SPDX-License-Identifier: Apache-2.0
// A store on a PostgreSQL server. An engine takes the lock of its data folder, waits for a server
// that is not there yet, and refuses an empty database where something tells of an older life. A
// tool only connects.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/store_house.h"
#include "store/postgres/postgres_store.h"
#include "store/sqlite/store_lock.h"

namespace todoku::app {

class PostgresHouse final : public StoreHouse {
 public:
  explicit PostgresHouse(const config::Config& config) : config_(config) {}

  [[nodiscard]] Result<std::unique_ptr<store::Store>> open(const Start& start) override;
  [[nodiscard]] Result<std::unique_ptr<store::Store>> open_for_tool(const Start& start) override;
  [[nodiscard]] Result<std::vector<store::Node>> engines_elsewhere(store::Store& store) override;
  [[nodiscard]] Result<void> may_change(store::Store& store) override;
  [[nodiscard]] bool tries_again(const Start& start, const Error& why) override;
  [[nodiscard]] Result<store::NewNode> node() const override;
  [[nodiscard]] std::unique_ptr<intake::Uploads> uploads(
      store::Store& store, std::function<store::NodeKey()> node) const override;
  [[nodiscard]] std::vector<std::string> problems(
      const config::UnknownKeys& unknown) const override;
  [[nodiscard]] Result<cli::Schema> schema() override;
  [[nodiscard]] Result<void> migrate(bool contract, std::chrono::seconds patience,
                                     const cli::MigrationBlocked& blocked) override;
  [[nodiscard]] Result<cli::Carriage> carry_in(const std::string& from,
                                               const cli::CarriageTold& told) override;
  [[nodiscard]] Result<cli::BackedUp> back_up(const std::string& to,
                                              const cli::BackupTold& told) override;
  [[nodiscard]] Result<cli::BackedUp> restore(const cli::RestoreWish& wish,
                                              const cli::BackupTold& told) override;
  [[nodiscard]] Result<void> begin_shipping(Metrics& metrics, std::string id) override;
  [[nodiscard]] std::string place() const override;

 private:
  [[nodiscard]] store::PostgresStore::Options options() const;
  [[nodiscard]] Result<void> check_settings() const;
  [[nodiscard]] Result<void> take_folder(const Start& start);
  [[nodiscard]] Result<void> same_master_key(store::Store& source) const;
  // Tries until the server is there, for as long as the configuration says.
  [[nodiscard]] Result<std::unique_ptr<store::PostgresStore>> open_patiently(const Start& start);
  [[nodiscard]] Result<void> nothing_of_old(store::Store& store) const;
  [[nodiscard]] Result<void> nothing_in_folder() const;
  [[nodiscard]] Result<void> check_database() const;
  // What it says is wrong with the configuration or the database, with where that is.
  [[nodiscard]] std::unexpected<Error> told(Error error) const;

  const config::Config& config_;
  bool begin_new_ = false;       // as a tool was told
  SteadyInstant waits_until_{};  // since the first time that it did not answer
  // Keeps other engines out of the folder, of either kind of store.
  std::optional<store::sqlite::StoreLock> lock_;
};

}  // namespace todoku::app
