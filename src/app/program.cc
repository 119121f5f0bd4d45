// SPDX-License-Identifier: Apache-2.0
#include "app/program.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <system_error>
#include <thread>
#include <utility>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <signal.h>
#include <unistd.h>

#include "app/admin_port.h"
#include "app/alarm_trial.h"
#include "app/check_names.h"
#include "app/dev_folder.h"
#include "app/host_check.h"
#include "app/installation_examination.h"
#include "app/lambda_command.h"
#include "app/module_options.h"
#include "app/mta_sts_examination.h"
#include "app/open_files.h"
#include "app/sending_platform.h"
#include "app/serve.h"
#include "app/store_house.h"
#include "app/unless_refused.h"
#include "app/version.h"
#include "base/bilingual.h"
#include "cli/api_client.h"
#include "cli/request.h"
#include "config/site_rules.h"
#include "inbound/forwarding.h"
#include "net/endpoint.h"
#include "operate/calls/calls.h"
#include "operate/calls/given.h"
#include "sink/command.h"

namespace todoku::app {
namespace {

volatile std::sig_atomic_t end_wanted = 0;

void want_end(int /*signal*/) {
  end_wanted = 1;
}

// The first signal is noted, the next ends the process as usual.
void catch_end() {
  static const bool once = [] {
    struct sigaction action{};
    action.sa_handler = want_end;
    action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    return true;
  }();
  (void)once;
}

}  // namespace

bool Program::tell(const config::ConfigResult& loaded) {
  if (!loaded) {
    for (const config::ConfigProblem& problem : loaded.error().problems) {
      fmt::print(err_, "{}\n", problem.to_string());
    }
    return false;
  }
  const auto rules = config::load_site_rules(*loaded);
  if (!rules) {
    fmt::print(err_, "{}\n", rules.error().detail);
    return false;
  }
  if (const auto replies = config::load_reply_rules(*loaded, *rules); !replies) {
    fmt::print(err_, "{}\n", replies.error().detail);
    return false;
  }
  if (const auto advice = config::load_advice(*loaded, *rules); !advice) {
    fmt::print(err_, "{}\n", advice.error().detail);
    return false;
  }
  for (const config::ConfigProblem& warning : loaded->warnings) {
    fmt::print(err_, "warning: {}\n", warning.to_string());
  }
  return true;
}

std::optional<config::LoadedConfig> Program::load(const std::optional<std::string>& file) {
  auto loaded = config::load_config(file, environment_);
  if (!tell(loaded)) return std::nullopt;
  return std::move(*loaded);
}

void Program::tell_if_one_begins(const config::LoadedConfig& loaded) {
  std::error_code error;
  const auto database = database_path(loaded.config);
  if (!loaded.file.empty() || std::filesystem::exists(database, error)) return;
  const auto whole = std::filesystem::absolute(database, error);
  const std::string where = (error ? database : whole).parent_path().string();
  // In both languages: whoever starts a service does not say which.
  fmt::print(err_,
             "todoku: NO CONFIGURATION was found (looked at todoku.toml here and "
             "/etc/todoku/todoku.toml), so a new installation begins in {}; if you meant another "
             "one, name its file with --config\n"
             "todoku: 設定ファイルが見つからないため（このフォルダーの todoku.toml と "
             "/etc/todoku/todoku.toml を確認）、{} に新しい環境を作成します。別の環境のつもりなら "
             "--config で設定ファイルを指定してください\n",
             where, where);
}

int Program::serve_dev(const cli::ServeOptions& options) {
  const auto refuse = [this](std::string_view why) {
    fmt::print(err_, "todoku: {}\n", why);
    return 1;
  };
  if (options.config || !options.roles.empty() || options.begin_new) {
    return refuse("--dev has a configuration of its own: no --config, --roles or --new");
  }
  const auto folder = open_dev_folder(options.dev_folder);
  if (!folder) return refuse(folder.error().detail);
  auto loaded = config::load_config(folder->config_file(), {});
  if (!tell(loaded)) return 1;
  if (const auto faults = dev_faults(loaded->config, *folder); !faults.empty()) {
    for (const std::string& fault : faults) fmt::print(err_, "{}\n", fault);
    return 1;
  }
  if (engine_answers(loaded->config)) {
    return refuse(fmt::format("an engine is running in {} already", folder->path));
  }
  {
    auto port = unless_refused([&] { return open_admin_port(*loaded); });
    if (!port) return refuse(port.error().detail);
    const auto made = make_dev_account(**port, loaded->config, *folder);
    if (!made) return refuse(made.error().detail);
  }
  const auto greeting = dev_greeting(*folder);
  if (!greeting) return refuse(greeting.error().detail);
  out_ << *greeting << std::flush;
  return app::serve(std::move(*loaded), false);
}

int Program::serve(const cli::ServeOptions& options) {
  if (options.dev) return serve_dev(options);
  auto loaded = load(options.config);
  if (!loaded) return 1;
  if (!options.roles.empty()) {
    loaded->config.engine.roles = options.roles;
    std::vector<config::ConfigProblem> problems;
    config::check_roles(loaded->config, problems);
    for (const config::ConfigProblem& problem : problems)
      fmt::print(err_, "{}\n", problem.to_string());
    if (!problems.empty()) return 1;
  }
  tell_if_one_begins(*loaded);
  return app::serve(std::move(*loaded), options.begin_new);
}

int Program::check_config(const std::optional<std::string>& file, Language language) {
  const auto loaded = config::load_config(file, environment_);
  const bool usable = tell(loaded);
  const config::Config& config = loaded ? loaded->config : loaded.error().rest;
  const config::UnknownKeys unknown = loaded ? config::UnknownKeys() : loaded.error().unknown;
  // Where its socket is not known, what is taken may be taken by our own engine.
  const bool socket_known = unknown.spare({"admin.socket", "data.directory"});
  const bool running = socket_known && engine_answers(config);
  auto problems = host_problems(config, running || !socket_known, unknown);
  const SystemClock clock;
  std::ranges::move(StoreHouse::of(config, clock)->problems(unknown), std::back_inserter(problems));
  if (usable && problems.empty()) problems = unknown_accounts(file, config);
  if (usable && problems.empty()) problems = stopped_forwards(file, config);
  for (const std::string& problem : problems) fmt::print(err_, "{}\n", problem);
  if (!unknown.empty() && (loaded || !loaded.error().unread)) {
    constexpr Sentence kMore{
        "note: what depends on keys that are wrong here is looked at once these are mended\n",
        "注: 誤りのあるキーに関わることは、これらを直したあとに調べます\n"};
    err_ << kMore.in(language);
  }
  if (!usable || !problems.empty()) return 1;
  if (running) {
    constexpr Sentence kRunning{
        "note: an engine of this installation is running, with what it read when it started\n",
        "注: この設定のエンジンが動作中です。起動時に読み込んだ設定で動いています\n"};
    out_ << kRunning.in(language);
  }
  constexpr Sentence kNoFile{"no file, only defaults", "ファイルなし（既定値のみ）"};
  constexpr Sentence kFine{": no mistakes found\n", ": 誤りは見つかりませんでした\n"};
  out_ << (loaded->file.empty() ? kNoFile.in(language) : loaded->file) << kFine.in(language);
  return 0;
}

std::vector<std::string> Program::unknown_accounts(const std::optional<std::string>& file,
                                                   const config::Config& config) {
  std::vector<std::string> found;
  std::vector<std::pair<std::string, std::string>> named;  // an account, and what is said of it
  for (const auto& listener : config::smtp_in_listeners(config)) {
    if (!listener.account.empty()) {
      named.emplace_back(listener.account, unknown_account_of(listener));
    }
  }
  if (config::inbound_listens(config) && !config.inbound.forward_account.empty()) {
    named.emplace_back(config.inbound.forward_account, unknown_account_of(config.inbound));
  }
  if (named.empty()) return found;
  auto port = admin(file, {});
  if (!port) return found;
  for (const auto& [account, sentence] : named) {
    const auto answer = (*port)->call(
        cli::request_of(operate::Given(operate::calls::kShowAccount).with("account", account)));
    if (answer && answer->status == 404) found.push_back(sentence);
  }
  return found;
}

std::vector<std::string> Program::stopped_forwards(const std::optional<std::string>& file,
                                                   const config::Config& config) {
  const std::string& to = config.inbound.forward_to;
  const std::string& account = config.inbound.forward_account;
  if (!config::inbound_listens(config) || to.empty()) return {};
  auto port = admin(file, {});
  if (!port) return {};
  const auto answer = (*port)->call(cli::request_of(operate::Given(operate::calls::kLookSuppression)
                                                        .with("account", account)
                                                        .with("address", to)));
  if (!answer || !answer->ok()) return {};
  boost::system::error_code unreadable;
  const auto read = boost::json::parse(answer->body, unreadable);
  if (unreadable || !read.is_object()) return {};
  const auto* const entries = read.as_object().if_contains("suppressions");
  if (entries == nullptr || !entries->is_array()) return {};
  // An opt-out stops no report.
  const bool is_stopped = std::ranges::any_of(entries->as_array(), [](const auto& entry) {
    const auto* const scope = entry.is_object() ? entry.as_object().if_contains("scope") : nullptr;
    return scope != nullptr && *scope == "all";
  });
  if (!is_stopped) return {};
  return {inbound::stopped_forward(to, account)};
}

int Program::show_config(const cli::ConfigShowOptions& options) {
  if (options.defaults) {
    out_ << config::show_defaults(options.language);
    return 0;
  }
  const auto loaded = load(options.config);
  if (!loaded) return 1;
  if (options.sites) {
    const auto rules = config::load_site_rules(*loaded);
    if (rules) out_ << config::show_sites(*rules);
  } else {
    out_ << config::show_config(*loaded) << show_files(loaded->config);
  }
  return 0;
}

std::string Program::config_reference() {
  return config::configuration_reference();
}

Result<cli::RulesInForce> Program::rules(const std::optional<std::string>& config) {
  const auto loaded = config::load_config(config, environment_);
  if (!loaded) {
    Error error{ErrorKind::invalid_input, {}};
    for (const config::ConfigProblem& problem : loaded.error().problems) {
      if (!error.detail.empty()) error.detail += '\n';
      error.detail += problem.to_string();
    }
    return fail(std::move(error));
  }
  auto sites = config::load_site_rules(*loaded);
  if (!sites) return fail(std::move(sites.error()));
  auto replies = config::load_reply_rules(*loaded, *sites);
  if (!replies) return fail(std::move(replies.error()));
  auto advice = config::load_advice(*loaded, *sites);
  if (!advice) return fail(std::move(advice.error()));
  auto automations = config::load_automations(*loaded, *sites);
  if (!automations) return fail(std::move(automations.error()));
  return cli::RulesInForce{*std::move(sites), *std::move(replies), *std::move(automations),
                           *std::move(advice)};
}

int Program::sink(const std::vector<std::string>& arguments) {
  CLI::App app("todoku: a scripted receiver", "todoku");
  app.require_subcommand(1);
  int exit_code = 0;
  sink::add_sink_command(app, exit_code);
  std::vector<std::string> words = arguments;
  words.insert(words.begin(), "sink");
  std::ranges::reverse(words);  // what CLI11 wants of a vector
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out_, err_) == 0 ? 0 : 2;
  }
  return exit_code;
}

int Program::lambda() {
  return run_lambda(environment_);
}

Result<std::unique_ptr<cli::AdminPort>> Program::admin(const std::optional<std::string>& config,
                                                       const cli::AdminWish& wish) {
  auto loaded = config::load_config(config, environment_);
  if (!loaded) return fail(ErrorKind::invalid_input, loaded.error().problems.front().to_string());
  if (wish.may_begin) tell_if_one_begins(*loaded);
  return unless_refused([&] { return open_admin_port(*loaded, wish); });
}

Result<cli::Schema> Program::schema(const std::optional<std::string>& config) {
  const auto loaded = config::load_config(config, environment_);
  if (!loaded) return fail(ErrorKind::invalid_input, loaded.error().problems.front().to_string());
  const SystemClock clock;
  return StoreHouse::of(loaded->config, clock)->schema();
}

Result<void> Program::migrate(const std::optional<std::string>& config, bool contract,
                              std::chrono::seconds patience, const cli::MigrationBlocked& blocked) {
  const auto loaded = config::load_config(config, environment_);
  if (!loaded) return fail(ErrorKind::invalid_input, loaded.error().problems.front().to_string());
  const SystemClock clock;
  return unless_refused(
      [&] { return StoreHouse::of(loaded->config, clock)->migrate(contract, patience, blocked); });
}

Result<cli::Carriage> Program::carry(const std::optional<std::string>& config,
                                     const std::string& from, const cli::CarriageTold& told) {
  const auto loaded = config::load_config(config, environment_);
  if (!loaded) return fail(ErrorKind::invalid_input, loaded.error().problems.front().to_string());
  const SystemClock clock;
  return unless_refused(
      [&] { return StoreHouse::of(loaded->config, clock)->carry_in(from, told); });
}

Result<cli::BackedUp> Program::back_up(const std::optional<std::string>& config,
                                       const std::string& to, const cli::BackupTold& told) {
  const auto loaded = config::load_config(config, environment_);
  if (!loaded) return fail(ErrorKind::invalid_input, loaded.error().problems.front().to_string());
  const SystemClock clock;
  return unless_refused([&] { return StoreHouse::of(loaded->config, clock)->back_up(to, told); });
}

Result<cli::BackedUp> Program::restore(const std::optional<std::string>& config,
                                       const cli::RestoreWish& wish, const cli::BackupTold& told) {
  const auto loaded = config::load_config(config, environment_);
  if (!loaded) return fail(ErrorKind::invalid_input, loaded.error().problems.front().to_string());
  const SystemClock clock;
  return unless_refused([&] { return StoreHouse::of(loaded->config, clock)->restore(wish, told); });
}

Language Program::language() const {
  return config::environment_language(environment_);
}

std::unique_ptr<cli::ApiPort> Program::api(const cli::ApiAddress& address) {
  return cli::make_api_client(address);
}

std::string Program::local_api(const std::optional<std::string>& config) {
  const auto loaded = config::load_config(config, environment_);
  const config::Config& read = loaded ? loaded->config : loaded.error().rest;
  constexpr std::uint16_t kUsualPort = 8025;
  const auto endpoint = net::Endpoint::parse(read.api.listen, kUsualPort);
  return fmt::format("{}://127.0.0.1:{}", read.api.tls_certificate_file.empty() ? "http" : "https",
                     endpoint ? endpoint->port : kUsualPort);
}

Result<std::string> Program::submission_socket(const std::optional<std::string>& config) {
  constexpr std::string_view kInstalled = "/etc/todoku/todoku.toml";
  std::error_code error;
  std::string file = config.value_or(variable("TODOKU_CONFIG"));
  if (file.empty() && std::filesystem::exists(kInstalled, error)) file = kInstalled;
  std::string socket;
  if (!file.empty()) {
    const auto loaded = config::load_config(file, environment_);
    // Whose file it is may not be for this user to read: then it is where it usually is. A file
    // that was named is meant.
    if (config && !loaded && loaded.error().unread) {
      return fail(ErrorKind::not_found, loaded.error().problems.empty()
                                            ? file + " cannot be read"
                                            : loaded.error().problems.front().to_string());
    }
    socket = (loaded ? loaded->config : loaded.error().rest).smtp_in.socket;
  }
  return socket.empty() ? std::string(config::kUsualSubmissionSocket) : socket;
}

std::unique_ptr<cli::SubmissionPort> Program::submission(const std::string& socket) {
  return cli::make_submission_client(socket, clock_);
}

Result<std::unique_ptr<cli::CheckResolver>> Program::check_resolver(const std::string& server) {
  return CheckNames::make(server, clock_);
}

Result<std::unique_ptr<cli::CheckResolver>> Program::installation_resolver(
    const std::optional<std::string>& config, const std::string& server) {
  if (!server.empty()) return check_resolver(server);
  const auto loaded = config::load_config(config, environment_);
  if (!loaded) return fail(ErrorKind::invalid_input, loaded.error().problems.front().to_string());
  return CheckNames::make_for_people(resolver_options(loaded->config), clock_);
}

Result<doctor::Platform> Program::platform(const std::optional<std::string>& config) {
  const auto loaded = config::load_config(config, environment_);
  if (!loaded) return fail(ErrorKind::invalid_input, loaded.error().problems.front().to_string());
  return sending_platform(loaded->config);
}

Result<std::vector<doctor::Finding>> Program::examine(const std::optional<std::string>& config,
                                                      const cli::ExaminationWish& wish) {
  const auto loaded = config::load_config(config, environment_);
  if (!loaded) return fail(ErrorKind::invalid_input, loaded.error().problems.front().to_string());
  return unless_refused([&] { return examine_installation(loaded->config, wish, clock_); });
}

Result<std::vector<doctor::Finding>> Program::test_alarms(
    const std::optional<std::string>& config) {
  const auto loaded = config::load_config(config, environment_);
  if (!loaded) return fail(ErrorKind::invalid_input, loaded.error().problems.front().to_string());
  return try_alarms(loaded->config, clock_);
}

Result<cli::MtaStsFinding> Program::examine_mta_sts(const std::optional<std::string>& config,
                                                    const cli::MtaStsWish& wish) {
  const auto loaded = config::load_config(config, environment_);
  if (!loaded) return fail(ErrorKind::invalid_input, loaded.error().problems.front().to_string());
  const auto rules = config::load_site_rules(*loaded);
  if (!rules) return fail(rules.error());
  return app::examine_mta_sts(loaded->config, *rules, wish, clock_);
}

std::string Program::variable(std::string_view name) const {
  const auto found = environment_.find(name);
  return found == environment_.end() ? "" : found->second;
}

std::string Program::profile_file() const {
  return config::profile_file(environment_);
}

std::ostream* Program::terminal() {
  return ::isatty(STDERR_FILENO) != 0 ? &std::cerr : nullptr;
}

bool Program::wait(std::chrono::milliseconds time) {
  catch_end();
  constexpr std::chrono::milliseconds kSlice(50);
  for (std::chrono::milliseconds waited(0); waited < time && end_wanted == 0; waited += kSlice) {
    std::this_thread::sleep_for(std::min(kSlice, time - waited));
  }
  return end_wanted == 0;
}

std::string Program::version() {
  return std::string(app::version());
}

}  // namespace todoku::app
