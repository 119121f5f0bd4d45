// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <algorithm>
#include <iterator>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "base/printable.h"
#include "base/spelling.h"
#include "cli/commands.h"

namespace todoku::cli {
namespace {

constexpr const char* kSink = "sink";

// Gathers the words; the command found is run after the whole line has been read.
class CommandLine {
 public:
  CommandLine(Host& host, std::ostream& out, std::ostream& err)
      : host_(host), out_(out), err_(err) {
    app_.require_subcommand(1);
    // These may stand anywhere.
    app_.fallthrough();
    app_.add_option("--config", common_.config, "The configuration file");
    app_.add_option("--lang", common_.language,
                    "en or ja, where there is both; else TODOKU_LANG, else the locale")
        ->check(CLI::IsMember({"en", "ja"}));
    app_.add_flag("--json", common_.json, "Print answers as JSON");
    app_.add_flag("--new", common_.begin_new,
                  "Begin a new store where the old one is gone: what remains of it counts no more");
    add_serve();
    add_config();
    add_account();
    add_key();
    add_dkim();
    add_explain();
    add_stuck();
    add_operating();
    add_sink();
  }

  int run(std::vector<std::string> arguments) {
    const std::string unknown = unknown_command(arguments);
    std::ranges::reverse(arguments);  // what CLI11 wants of a vector
    try {
      app_.parse(std::move(arguments));
    } catch (const CLI::ParseError& error) {
      if (!unknown.empty() && error.get_exit_code() != 0) {
        err_ << "todoku: " << unknown << '\n';
        return 2;
      }
      const int code = app_.exit(error, out_, err_);
      return code == 0 ? 0 : 2;
    }
    return command_ ? command_() : 2;
  }

 private:
  CLI::App* verb(CLI::App* parent, const std::string& name, const std::string& help) {
    return parent->add_subcommand(name, help);
  }

  // A sentence about the first word that stands where a command should and is none; else empty.
  [[nodiscard]] std::string unknown_command(const std::vector<std::string>& words) const {
    const CLI::App* command = &app_;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string& word = words[i];
      if (word.starts_with('-')) {
        if (has_value(*command, word)) ++i;
        continue;
      }
      std::vector<std::string> names;
      const CLI::App* found = nullptr;
      for (const CLI::App* verb : command->get_subcommands({})) {
        names.push_back(verb->get_name());
        if (verb->get_name() == word) found = verb;
      }
      if (names.empty()) return {};
      if (found == nullptr) {
        const std::string group = command == &app_ ? "" : command->get_name() + " ";
        return fmt::format("there is no command {}{}{}", group, printable(word),
                           suggestion(word, names));
      }
      command = found;
    }
    return {};
  }

  // Whether the next word belongs to this option.
  [[nodiscard]] bool has_value(const CLI::App& command, const std::string& word) const {
    const CLI::Option* option = command.get_option_no_throw(word);
    if (option == nullptr) option = app_.get_option_no_throw(word);
    return option != nullptr && option->get_expected_min() > 0;
  }

  // The command speaks to the operations of the installation. Of a group: what it does without a
  // verb, whose callback comes before the group's.
  void calls(CLI::App* command, std::function<int(Session&)> body) {
    command->callback([this, body = std::move(body)] {
      if (command_) return;
      command_ = [this, body] {
        Session session(host_, common_, out_, err_);
        return body(session);
      };
    });
  }
  // The command is the program's own.
  void runs(CLI::App* command, std::function<int()> body) {
    command->callback([this, body = std::move(body)] { command_ = body; });
  }

  void add_serve() {
    CLI::App* command = verb(&app_, "serve", "Run the engine until SIGTERM");
    command->add_option("--roles", serve_.roles, "What this process does, as in engine.roles")
        ->delimiter(',');
    runs(command, [this] {
      serve_.config = common_.config;
      serve_.begin_new = common_.begin_new;
      return host_.serve(serve_);
    });
  }

  void add_config() {
    CLI::App* group = verb(&app_, "config", "Check and show the configuration");
    group->require_subcommand(1);
    CLI::App* check = verb(group, "check", "Find every mistake");
    check->add_option("FILE", config_file_, "Instead of the file that serve would read");
    runs(check,
         [this] { return host_.check_config(config_file(), wanted_language(host_, common_)); });
    CLI::App* show = verb(group, "show", "The effective values and where each came from");
    show->add_option("FILE", config_file_, "Instead of the file that serve would read");
    show->add_flag("--defaults", show_.defaults, "A complete, explained file to start from");
    show->add_flag("--sites", show_.sites, "The limits of receiving sites that are in force");
    runs(show, [this] {
      show_.config = config_file();
      show_.language = wanted_language(host_, common_);
      return host_.show_config(show_);
    });
    CLI::App* reference = verb(group, "reference", "The text of docs/configuration.md");
    runs(reference, [this] {
      out_ << host_.config_reference();
      return 0;
    });
  }

  void add_account() {
    CLI::App* group = verb(&app_, "account", "The accounts that may send");
    group->require_subcommand(1);
    CLI::App* add = verb(group, "add", "Add an account, with a first API key");
    account_name(add);
    add->add_option("--weight", account_.weight, "Share of the engine, 1 to 1000");
    add->add_flag("--no-key", account_.without_key, "Without an API key");
    calls(add, [this](Session& session) { return account_add(session, account_); });
    calls(verb(group, "list", "List them"), account_list);
    CLI::App* suspend = verb(group, "suspend", "Refuse its requests and start nothing new");
    account_name(suspend);
    calls(suspend, [this](Session& s) { return account_suspend(s, account_.name, true); });
    CLI::App* resume = verb(group, "resume", "Undo suspend");
    account_name(resume);
    calls(resume, [this](Session& s) { return account_suspend(s, account_.name, false); });
    CLI::App* weight = verb(group, "weight", "Change its share of the engine");
    account_name(weight);
    weight->add_option("WEIGHT", account_.weight, "1 to 1000")->required();
    calls(weight, [this](Session& s) { return account_weight(s, account_.name, account_.weight); });
    CLI::App* text = verb(group, "text-from-html",
                          "Whether its mail with HTML only gets a text part made from it");
    account_name(text);
    text->add_option("ON", account_text_, "on or off")
        ->required()
        ->check(CLI::IsMember({"on", "off"}));
    calls(text, [this](Session& s) {
      return account_text_from_html(s, account_.name, account_text_ == "on");
    });
  }

  void account_name(CLI::App* command) {
    command->add_option("ACCOUNT", account_.name, "Its name, which is its login id")->required();
  }

  void add_key() {
    CLI::App* group = verb(&app_, "key", "The API keys of an account");
    group->require_subcommand(1);
    CLI::App* add = verb(group, "add", "Add a key and show it, once");
    account_name(add);
    add->add_option("--label", key_label_, "What it is for");
    calls(add, [this](Session& s) { return key_add(s, account_.name, key_label_); });
    CLI::App* list = verb(group, "list", "List them");
    account_name(list);
    calls(list, [this](Session& s) { return key_list(s, account_.name); });
    CLI::App* revoke = verb(group, "revoke", "Make a key useless, within seconds");
    account_name(revoke);
    revoke->add_option("ID", key_id_, "As `key list` says")->required();
    calls(revoke, [this](Session& s) { return key_revoke(s, account_.name, key_id_); });
  }

  void add_dkim() {
    CLI::App* group = verb(&app_, "dkim", "The keys that sign mail");
    group->require_subcommand(1);
    CLI::App* generate = verb(group, "generate", "Make a key and print its DNS record");
    dkim_names(generate, false);
    generate->add_flag("--ed25519", dkim_.ed25519, "Ed25519 instead of RSA-2048");
    calls(generate, [this](Session& s) { return dkim_generate(s, dkim_); });
    CLI::App* import = verb(group, "import", "Take over a key made elsewhere");
    dkim_names(import, true);
    import->add_option("--pem", dkim_.pem_file, "File of the unencrypted private key")->required();
    calls(import, [this](Session& s) { return dkim_generate(s, dkim_); });
    CLI::App* list = verb(group, "list", "List them");
    list->add_option("--account", dkim_.account, "Only of this account");
    calls(list, [this](Session& s) { return dkim_list(s, dkim_.account); });
    CLI::App* show = verb(group, "show", "Print the DNS record of a key again");
    dkim_names(show, true);
    calls(show, [this](Session& s) { return dkim_show(s, dkim_); });
    CLI::App* remove =
        verb(group, "remove",
             "Remove a key; mail that was to be signed with it waits until its life ends");
    dkim_names(remove, true);
    calls(remove, [this](Session& s) { return dkim_remove(s, dkim_); });
  }

  void dkim_names(CLI::App* command, bool selector_required) {
    command->add_option("--account", dkim_.account, "Whose mail")->required();
    command->add_option("--domain", dkim_.domain, "The From domain, and those below it")
        ->required();
    command->add_option("--selector", dkim_.selector, "Name of the key in the DNS")
        ->required(selector_required);
  }

  void add_explain() {
    CLI::App* command = verb(&app_, "explain", "Tell what became of mail to an address");
    command->add_option("ADDRESS", explain_.address, "The recipient's address")->required();
    command->add_option("--account", explain_.account, "Only mail of this account");
    list_limit(command, explain_.limit, "At most so many mails, newest first");
    command->add_flag("--utc", explain_.utc, "Times in UTC instead of Japan's");
    calls(command, [this](Session& s) { return explain_address(s, explain_); });
  }

  void add_stuck() {
    CLI::App* group =
        verb(&app_, "stuck", "The mails that are set aside: processes died with them");
    group->require_subcommand(0, 1);
    list_limit(group, stuck_list_.limit, "At most so many, since long ago first");
    group->add_flag("--utc", stuck_list_.utc, "Times in UTC instead of Japan's");
    calls(group, [this](Session& s) { return stuck_list(s, stuck_list_); });
    CLI::App* release = verb(group, "release", "Have one tried again, or all");
    CLI::Option* account = release->add_option("ACCOUNT", stuck_.account, "As `stuck` says");
    CLI::Option* email = release->add_option("EMAIL", stuck_.email_id, "As `stuck` says");
    CLI::Option* all = release->add_flag("--all", stuck_.all, "All that are set aside now");
    account->needs(email);
    all->excludes(account);
    release->require_option(1, 2);
    calls(release, [this](Session& s) { return stuck_release(s, stuck_); });
  }

  static void list_limit(CLI::App* command, std::int64_t& limit, const std::string& help) {
    command->add_option("--limit", limit, help)->check(CLI::Range(1, 1000));
  }

  void add_operating() {
    calls(verb(&app_, "status", "What the engine does"), show_status);
    CLI::App* draining = verb(&app_, "drain", "Finish what is in flight, then stop");
    draining->add_option("--wait", drain_seconds_, "Seconds to wait for the end");
    calls(draining, [this](Session& s) { return drain(s, std::chrono::seconds(drain_seconds_)); });
    calls(verb(&app_, "healthcheck", "Exit status 0 if the engine is ready"), healthcheck);
    runs(verb(&app_, "version", "Print the version"), [this] {
      out_ << "todoku " << host_.version() << '\n';
      return 0;
    });
  }

  // For the list of commands only: see run().
  void add_sink() {
    verb(&app_, kSink, "A scripted receiver for tests, demos and load: sink --help");
  }

  [[nodiscard]] std::optional<std::string> config_file() const {
    return config_file_ ? config_file_ : common_.config;
  }

  Host& host_;
  std::ostream& out_;
  std::ostream& err_;
  CLI::App app_{"todoku: mail delivery that can say where every mail ended", "todoku"};
  std::function<int()> command_;

  Common common_;
  ServeOptions serve_;
  std::optional<std::string> config_file_;
  ConfigShowOptions show_;
  AccountAdd account_;
  std::string account_text_;
  std::string key_label_;
  std::int64_t key_id_ = 0;
  DkimGenerate dkim_;
  Explain explain_;
  StuckList stuck_list_;
  StuckRelease stuck_;
  int drain_seconds_ = 600;
};

}  // namespace

int run(const std::vector<std::string>& arguments, Host& host, std::ostream& out,
        std::ostream& err) {
  // The sink reads its words itself, --help among them.
  if (!arguments.empty() && arguments.front() == kSink) {
    return host.sink({arguments.begin() + 1, arguments.end()});
  }
  return CommandLine(host, out, err).run(arguments);
}

}  // namespace todoku::cli
