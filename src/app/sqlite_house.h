// SPDX-License-Identifier: Apache-2.0
// A store in the data folder, before anything else looks at it.
//
//   folder open to others      closed, if it is ours and holds nothing of others; else refused
//   database there             opened
//   database missing or empty  a new one is made; refused if something tells of an older life
//                              (its log, uploads, an admin socket, a master key), unless a new
//                              store was asked for: it would look as if all mail were gone
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/store_house.h"
#include "store/sqlite/log_capture.h"
#include "store/sqlite/log_shipper.h"
#include "store/sqlite/shipped_place.h"

namespace todoku::app {

class SqliteHouse final : public StoreHouse {
 public:
  SqliteHouse(const config::Config& config, const Clock& clock) : config_(config), clock_(clock) {}

  [[nodiscard]] Result<std::unique_ptr<store::Store>> open(const Start& start) override;
  [[nodiscard]] Result<std::unique_ptr<store::Store>> open_for_tool(const Start& start) override {
    return open_with(start, nullptr);
  }
  // Its lock says so already: nobody, and it may.
  [[nodiscard]] Result<std::vector<store::Node>> engines_elsewhere(store::Store& store) override {
    (void)store;
    return std::vector<store::Node>{};
  }
  [[nodiscard]] Result<void> may_change(store::Store& store) override {
    (void)store;
    return {};
  }
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
  void rest_shipping() override;
  void end_shipping() override;
  [[nodiscard]] std::string shipping_trouble() const override;
  void show_shipping() const override;
  [[nodiscard]] std::string place() const override;

 private:
  [[nodiscard]] Result<std::unique_ptr<store::Store>> open_with(const Start& start,
                                                                store::sqlite::LogCapture* capture);
  [[nodiscard]] Result<void> nothing_of_old(std::string_view missing) const;
  [[nodiscard]] Result<void> check_database() const;
  [[nodiscard]] Result<cli::BackedUp> restore_backup(const std::string& from, bool replace,
                                                     const cli::BackupTold& told,
                                                     SteadyInstant began);

  const config::Config& config_;
  const Clock& clock_;
  // Of an engine whose store is shipped.
  std::optional<store::sqlite::LogCapture> capture_;
  std::unique_ptr<store::sqlite::ShippedPlace> place_;
  std::optional<store::sqlite::LogShipper> shipper_;
};

}  // namespace todoku::app
