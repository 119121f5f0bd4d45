// SPDX-License-Identifier: Apache-2.0
// What stands behind the command line: the verbs that need the whole engine.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "cli/descriptor_stream.h"
#include "cli/host.h"
#include "config/config.h"

namespace todoku::app {

class Program final : public cli::Host {
 public:
  Program(config::Environment environment, std::ostream& out, std::ostream& err)
      : environment_(std::move(environment)), out_(out), err_(err) {}

  int serve(const cli::ServeOptions& options) override;
  int check_config(const std::optional<std::string>& file, Language language) override;
  int show_config(const cli::ConfigShowOptions& options) override;
  std::string config_reference() override;
  Result<cli::RulesInForce> rules(const std::optional<std::string>& config) override;
  int sink(const std::vector<std::string>& arguments) override;
  int lambda() override;
  Result<std::unique_ptr<cli::AdminPort>> admin(const std::optional<std::string>& config,
                                                const cli::AdminWish& wish) override;
  Result<cli::Schema> schema(const std::optional<std::string>& config) override;
  Result<void> migrate(const std::optional<std::string>& config, bool contract,
                       std::chrono::seconds patience,
                       const cli::MigrationBlocked& blocked) override;
  Result<cli::Carriage> carry(const std::optional<std::string>& config, const std::string& from,
                              const cli::CarriageTold& told) override;
  Result<cli::BackedUp> back_up(const std::optional<std::string>& config, const std::string& to,
                                const cli::BackupTold& told) override;
  Result<cli::BackedUp> restore(const std::optional<std::string>& config,
                                const cli::RestoreWish& wish, const cli::BackupTold& told) override;
  std::string version() override;
  std::unique_ptr<cli::ApiPort> api(const cli::ApiAddress& address) override;
  std::string local_api(const std::optional<std::string>& config) override;
  Result<std::string> submission_socket(const std::optional<std::string>& config) override;
  std::unique_ptr<cli::SubmissionPort> submission(const std::string& socket) override;
  Result<std::unique_ptr<cli::CheckResolver>> check_resolver(const std::string& server) override;
  Result<std::unique_ptr<cli::CheckResolver>> installation_resolver(
      const std::optional<std::string>& config, const std::string& server) override;
  Result<doctor::Platform> platform(const std::optional<std::string>& config) override;
  Result<std::vector<doctor::Finding>> examine(const std::optional<std::string>& config,
                                               const cli::ExaminationWish& wish) override;
  Result<std::vector<doctor::Finding>> test_alarms(
      const std::optional<std::string>& config) override;
  Result<cli::MtaStsFinding> examine_mta_sts(const std::optional<std::string>& config,
                                             const cli::MtaStsWish& wish) override;
  [[nodiscard]] const Clock& clock() const override { return clock_; }
  [[nodiscard]] std::string variable(std::string_view name) const override;
  [[nodiscard]] std::string profile_file() const override;
  std::istream& input() override { return input_; }
  std::ostream* terminal() override;
  bool wait(std::chrono::milliseconds time) override;
  [[nodiscard]] Language language() const override;

 private:
  // Prints what is wrong, or what there is to warn of. True if it can be used.
  bool tell(const config::ConfigResult& loaded);
  // Accounts that listeners for devices name and the store does not know. None where there is no
  // store that can be asked.
  [[nodiscard]] std::vector<std::string> unknown_accounts(const std::optional<std::string>& file,
                                                          const config::Config& config);
  // Likewise where a suppression list stops what is forwarded to who reads abuse@.
  [[nodiscard]] std::vector<std::string> stopped_forwards(const std::optional<std::string>& file,
                                                          const config::Config& config);
  // nullopt after the problems have been printed.
  std::optional<config::LoadedConfig> load(const std::optional<std::string>& file);
  // Who forgot --config, or is in the wrong folder, begins an installation beside the one meant.
  void tell_if_one_begins(const config::LoadedConfig& loaded);

  // An installation to try in (dev_folder.h), and its engine.
  int serve_dev(const cli::ServeOptions& options);
  const config::Environment environment_;
  const SystemClock clock_;
  std::ostream& out_;
  std::ostream& err_;
  cli::DescriptorStream input_{0};
};

}  // namespace todoku::app
