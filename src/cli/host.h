// SPDX-License-Identifier: Apache-2.0
// What the command line asks of the program around it: the verbs that need the whole engine.
// Implemented by app/.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <istream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/bilingual.h"
#include "base/clock.h"
#include "base/result.h"
#include "cli/admin_port.h"
#include "cli/api_port.h"
#include "cli/check_resolver.h"
#include "cli/mta_sts_finding.h"
#include "cli/submission_port.h"
#include "delivery/policy/automations.h"
#include "delivery/policy/site_rules.h"
#include "doctor/domain_records.h"
#include "doctor/finding.h"
#include "explain/advice_book.h"
#include "feedback/classify/reply_rules.h"

namespace todoku::cli {

struct ServeOptions {
  std::optional<std::string> config;
  std::vector<std::string> roles;  // empty: as configured
  bool begin_new = false;          // a new store, whatever is left of an older one
  bool dev = false;                // in a folder made for it, from which nothing leaves
  std::string dev_folder = "todoku-dev";
};

struct ConfigShowOptions {
  std::optional<std::string> config;
  bool defaults = false;
  bool sites = false;
  Language language = Language::english;
};

// How the operations of an installation are asked for.
struct AdminWish {
  bool begin_new = false;                 // as in ServeOptions
  bool may_begin = false;                 // a store, where there is none; who only looks must not
  Language language = Language::english;  // of what is said
};

// The tables of a store, made in numbered steps.
struct SchemaStep {
  std::int64_t number = 0;
  std::string name;
  std::optional<Instant> taken;  // nullopt: not yet
  bool contracts = false;        // takes away what the version before needs
};
struct Schema {
  std::string kind;        // as in store.kind
  std::string place;       // for people
  bool by_itself = false;  // the engine does it at its start: there is nothing to take
  // How many steps a program must know to work on the tables once all these are taken; 0: by
  // itself.
  std::int64_t worked_on_by = 0;
  std::vector<SchemaStep> steps;
};

// A session of the database that holds what a step needs.
struct SchemaBlocker {
  std::int64_t pid = 0;
  std::string application;
  std::int64_t seconds = 0;  // its transaction lasts
  std::string query;         // how it begins
};
// Told after each try of a step that came to nothing.
using MigrationBlocked =
    std::function<void(std::int64_t step, const std::vector<SchemaBlocker>& by)>;

// A store carried over from one of another kind, table by table.
struct CarriedTable {
  std::string name;
  std::int64_t rows = 0;
  std::string sum;  // of their hashes, the same on both sides
};
struct Carriage {
  std::string from;  // for people
  std::string to;
  std::chrono::milliseconds took{};
  std::vector<CarriedTable> tables;
};
// Told every few seconds, of a table in hand.
using CarriageTold = std::function<void(std::string_view table, std::int64_t rows, bool comparing)>;

// What is in a backup of a store.
struct BackedUp {
  std::string place;  // for people: of the backup, or of the store made of it
  std::int64_t version = 0;
  std::int64_t deliveries = 0;
  std::int64_t recipients = 0;
  std::int64_t suppressions = 0;
  std::int64_t files = 0;
  std::uint64_t octets = 0;
  std::chrono::milliseconds took{};
  std::string replaced;  // restored: where the store that was there is now; empty: there was none
  std::optional<Instant> at;  // restored of what was shipped: its last commit
  bool other_key = false;  // restored: the master key here is not the one that it was sealed with
};
struct RestoreWish {
  std::string from;           // a backup, or the folder to which a store was shipped
  std::optional<Instant> at;  // of what was shipped: the last state by then; nullopt: the newest
  bool replace = false;       // also where a store is
};
// Told now and then. False: it is given up.
using BackupTold = std::function<bool(std::int64_t done, std::int64_t pages)>;

// What is known of receivers, as this installation has it.
struct RulesInForce {
  delivery::policy::SiteRules sites;
  feedback::classify::ReplyRules replies;
  delivery::policy::Automations automations;
  explain::AdviceBook advice;
};

struct ExaminationWish {
  std::string source;    // its name; empty: all, and the machine
  std::string resolver;  // the name server to ask, "HOST:PORT"; empty: as configured
};

// The functions that return int give the exit status of the process.
class Host {
 public:
  virtual ~Host() = default;
  virtual int serve(const ServeOptions& options) = 0;
  virtual int check_config(const std::optional<std::string>& file, Language language) = 0;
  virtual int show_config(const ConfigShowOptions& options) = 0;
  virtual std::string config_reference() = 0;
  // Errors: a line for each mistake.
  virtual Result<RulesInForce> rules(const std::optional<std::string>& config) = 0;
  // `arguments` are what followed `sink`.
  virtual int sink(const std::vector<std::string>& arguments) = 0;
  // Side jobs as a function of AWS Lambda, until Lambda ends the process.
  virtual int lambda() = 0;
  // Errors: a sentence that says what to do.
  virtual Result<std::unique_ptr<AdminPort>> admin(const std::optional<std::string>& config,
                                                   const AdminWish& wish) = 0;
  virtual Result<Schema> schema(const std::optional<std::string>& config) = 0;
  // Takes the steps that are missing up to the first that contracts; or `contract`: those that
  // contract and come next. unavailable: others were in the way all the time; conflict: the other
  // kind comes first, or processes of another version live.
  virtual Result<void> migrate(const std::optional<std::string>& config, bool contract,
                               std::chrono::seconds patience, const MigrationBlocked& blocked) = 0;
  // Carries the store at `from` ("sqlite:PATH") over to the configured one. Errors: a sentence that
  // says what to do; the same again begins anew.
  virtual Result<Carriage> carry(const std::optional<std::string>& config, const std::string& from,
                                 const CarriageTold& told) = 0;
  // The configured store as one file, which must not be there, and back. Errors: a sentence that
  // says what to do; then no file was made, and the store that was there is as it was.
  virtual Result<BackedUp> back_up(const std::optional<std::string>& config, const std::string& to,
                                   const BackupTold& told) = 0;
  virtual Result<BackedUp> restore(const std::optional<std::string>& config,
                                   const RestoreWish& wish, const BackupTold& told) = 0;
  virtual std::string version() = 0;

  // -- for senders, who are clients of the REST API
  virtual std::unique_ptr<ApiPort> api(const ApiAddress& address) = 0;
  // Where the installation of this configuration has its API: "http://127.0.0.1:8025". What cannot
  // be read is as by default.
  virtual std::string local_api(const std::optional<std::string>& config) = 0;
  // Of the process's environment, TODOKU_...; empty: not there.
  [[nodiscard]] virtual std::string variable(std::string_view name) const = 0;
  // Where the user's profiles are; empty: the user has no home.
  [[nodiscard]] virtual std::string profile_file() const = 0;
  virtual std::istream& input() = 0;
  // -- for programs that call it sendmail
  // Where the installation of this configuration has its submission socket. Without `config` the
  // working directory is not looked at: who calls a sendmail stands anywhere. Errors: `config`
  // names a file that cannot be read.
  virtual Result<std::string> submission_socket(const std::optional<std::string>& config) = 0;
  virtual std::unique_ptr<SubmissionPort> submission(const std::string& socket) = 0;
  // -- for checks of mail
  // Asks the name server at `server`, "HOST:PORT", or the system's if that is empty. Errors:
  // invalid_input, not_found (no such host), unavailable.
  virtual Result<std::unique_ptr<CheckResolver>> check_resolver(const std::string& server) = 0;
  // Asks as the installation does, the servers of `[dns] servers`, or the one at `server` if that
  // is not empty. Errors: as check_resolver(); a sentence that says what is wrong with the
  // configuration.
  virtual Result<std::unique_ptr<CheckResolver>> installation_resolver(
      const std::optional<std::string>& config, const std::string& server) = 0;
  // Who sends, by the configuration. Errors: a sentence that says what is wrong with it.
  virtual Result<doctor::Platform> platform(const std::optional<std::string>& config) = 0;

  // -- for checks of the server
  // What is wrong with the sources of the configuration, as receivers see them, and with the
  // machine. Takes as long as those who are asked take, minutes at most. Errors: a sentence that
  // says what to do.
  virtual Result<std::vector<doctor::Finding>> examine(const std::optional<std::string>& config,
                                                       const ExaminationWish& wish) = 0;
  // Tells an alarm that means nothing by each way of the configuration, and how that went. Errors:
  // a sentence that says what to do.
  virtual Result<std::vector<doctor::Finding>> test_alarms(
      const std::optional<std::string>& config) = 0;

  // What MTA-STS means for mail to a domain. Errors: a sentence that says what to do.
  virtual Result<MtaStsFinding> examine_mta_sts(const std::optional<std::string>& config,
                                                const MtaStsWish& wish) = 0;

  [[nodiscard]] virtual const Clock& clock() const = 0;

  // For a line that changes in place, written as it is; nullptr: nobody sees one.
  virtual std::ostream* terminal() = 0;
  // False once the user wants an end (SIGINT, SIGTERM), which from the first call on no longer ends
  // the process at once; a second time it does.
  virtual bool wait(std::chrono::milliseconds time) = 0;

  // That the environment asks for.
  [[nodiscard]] virtual Language language() const = 0;
};

}  // namespace todoku::cli
