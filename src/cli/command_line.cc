// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <algorithm>
#include <memory>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "base/facts.h"
#include "base/spelling.h"
#include "cli/account_words.h"
#include "cli/check_words.h"
#include "cli/completion.h"
#include "cli/domain_words.h"
#include "cli/engine_words.h"
#include "cli/mail_words.h"
#include "cli/parser_words.h"
#include "cli/people_words.h"
#include "cli/sender_words.h"
#include "cli/sendmail.h"
#include "cli/sendmail_options.h"
#include "cli/smtp_credential_words.h"

namespace todoku::cli {
namespace {

constexpr const char* kSink = "sink";
constexpr const char* kSendmail = "sendmail";
constexpr const char* kMailq = "mailq";  // its -bp

// Gathers the words; the command found is run after the whole line has been read.
class CommandLine {
 public:
  CommandLine(Host& host, Language language, std::ostream& out, std::ostream& err)
      : host_(host), language_(language), out_(out), err_(err) {
    speak_language(app_, language_);
    app_.require_subcommand(1);
    // These may stand anywhere.
    app_.fallthrough();
    app_.add_option("--config", common_.config, say({"The configuration file", "設定ファイル"}));
    app_.add_option("--lang", common_.language,
                    say({"en or ja, where there is both; else TODOKU_LANG, else the locale",
                         "表示する言語。en または ja。指定がなければ TODOKU_LANG、次にロケール"}))
        ->check(CLI::IsMember({"en", "ja"}));
    app_.add_flag("--json", common_.json, say({"Print answers as JSON", "結果を JSON で出力する"}));
    app_.add_flag(
        "--new", common_.begin_new,
        say({"Begin a new store where the old one is gone: what remains of it counts no more",
             "以前のストアが失われた場所で新しいストアを始める（残っているものは使わない）"}));
    add_connection();
    add_serve();
    add_config();
    accounts_ = std::make_unique<AccountWords>(word_book());
    smtp_credentials_ = std::make_unique<SmtpCredentialWords>(word_book());
    domains_ = std::make_unique<DomainWords>(word_book());
    checks_ = std::make_unique<CheckWords>(word_book());
    mails_ = std::make_unique<MailWords>(word_book());
    engine_ = std::make_unique<EngineWords>(word_book());
    people_ = std::make_unique<PeopleWords>(word_book());
    add_sink();
    add_sendmail();
    add_lambda();
    senders_ = std::make_unique<SenderWords>(word_book());
    add_pages();
  }

  // For commands that are declared elsewhere.
  WordBook word_book() {
    return {
        .app = &app_,
        .language = language_,
        .verb = [this](CLI::App* parent, const std::string& name,
                       const Sentence& help) { return verb(parent, name, say(help)); },
        .speaks = [this](CLI::App* command,
                         std::function<int(Session&)> body) { speaks(command, std::move(body)); }};
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
      if (error.get_exit_code() != 0) {
        err_ << "todoku: " << complaint(error.what(), language_) << '\n';
        return 2;
      }
      return app_.exit(error, out_, err_) == 0 ? 0 : 2;
    }
    return command_ ? command_() : 2;
  }

 private:
  CLI::App* verb(CLI::App* parent, const std::string& name, const std::string& help) {
    CLI::App* const command = parent->add_subcommand(name, help);
    speak_language(*command, language_);
    return command;
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
        return fmt::vformat(
            say({"there is no command {}{}{}", "{}{} というコマンドはありません{}"}),
            fmt::make_format_args(group, word, near_to(word, names)));
      }
      command = found;
    }
    return {};
  }

  [[nodiscard]] std::string near_to(std::string_view word,
                                    const std::vector<std::string>& names) const {
    const std::string text = suggestion(word, names);
    const auto near = facts_of(text, " (did you mean *?)");
    return language_ == Language::english || !near
               ? text
               : fmt::format("（{} でしょうか）", near->front());
  }

  // Whether the next word belongs to this option.
  [[nodiscard]] bool has_value(const CLI::App& command, const std::string& word) const {
    const CLI::Option* option = command.get_option_no_throw(word);
    if (option == nullptr) option = app_.get_option_no_throw(word);
    return option != nullptr && option->get_expected_min() > 0;
  }

  // The command speaks to the operations of the installation. Of a group: what it does without a
  // verb, whose callback comes before the group's.
  void speaks(CLI::App* command, std::function<int(Session&)> body) {
    command->callback([this, body = std::move(body)] {
      if (command_) return;
      command_ = [this, body] {
        Session session(host_, common_, out_, err_);
        return session.exit_status(body(session));
      };
    });
  }
  // The command is the program's own.
  void runs(CLI::App* command, std::function<int()> body) {
    command->callback([this, body = std::move(body)] { command_ = body; });
  }

  // Of the REST API: senders' commands speak to it, and operators' where it is named (docs/cli.md).
  void add_connection() {
    ConnectionWish& wish = common_.connection;
    app_.add_option("--url", wish.url,
                    say({"The REST API, https://mail.example.jp", "REST API の URL"}));
    app_.add_option("--profile", wish.profile,
                    say({"Which profile (todoku profile), else default",
                         "使うプロファイル（todoku profile）。指定がなければ default"}));
    app_.add_option("--account", wish.account, say({"Whose key it is", "キーのアカウント"}));
    app_.add_option("--key-file", wish.key_file,
                    say({"A file with the API key", "API キーのファイル"}));
    app_.add_option("--ca", wish.ca_file,
                    say({"Trusted roots (PEM) instead of the system's",
                         "システムのものの代わりに信頼するルート証明書（PEM）"}));
  }

  // What is made of the tree of commands.
  void add_pages() {
    CLI::App* completion =
        verb(&app_, "completion",
             say({"A script by which a shell completes words: source <(todoku completion bash)",
                  "シェルの補完スクリプトを出力する: source <(todoku completion bash)"}));
    completion->add_option("SHELL", shell_, say({"bash, zsh or fish", "bash、zsh、fish"}))
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    runs(completion, [this] {
      out_ << completion_script(app_, shell_);
      return 0;
    });
    CLI::App* man = verb(&app_, "man",
                         say({"The man page of the program or a command, in roff",
                              "プログラムまたはコマンドの man ページ（roff）を出力する"}));
    man->add_option("COMMAND", man_of_, say({"Which command", "コマンド"}));
    runs(man, [this] {
      const CLI::App* command = &app_;
      std::string name = app_.get_name();
      for (const std::string& word : man_of_) {
        const auto found = command->get_subcommands(
            [&](const CLI::App* below) { return below->get_name() == word; });
        if (found.empty()) {
          err_ << "todoku: " << unknown_command(man_of_) << '\n';
          return 2;
        }
        command = found.front();
        name += " " + word;
      }
      out_ << man_page(*command, name, host_.version(), language_);
      return 0;
    });
  }

  void add_serve() {
    CLI::App* command =
        verb(&app_, "serve",
             say({"Run the engine until SIGTERM", "SIGTERM を受けるまでエンジンを動かす"}));
    command
        ->add_option("--roles", serve_.roles,
                     say({"What this process does, as in engine.roles",
                          "このプロセスの役割（engine.roles と同じ）"}))
        ->delimiter(',');
    CLI::Option* dev = command->add_flag(
        "--dev", serve_.dev,
        say({"To try: one account, everything is caught, nothing leaves this machine "
             "(docs/sandbox.md)",
             "お試し用。アカウントは 1 つ、メールはすべて捕まえ、外には何も出さない"
             "（docs/sandbox.ja.md）"}));
    command
        ->add_option("--dev-folder", serve_.dev_folder,
                     say({"Where it is kept; made, and none that is there otherwise",
                          "その置き場所。新しく作る。ほかの目的のフォルダーは使わない"}))
        ->needs(dev)
        ->capture_default_str();
    runs(command, [this] {
      serve_.config = common_.config;
      serve_.begin_new = common_.begin_new;
      return host_.serve(serve_);
    });
  }

  void add_config() {
    CLI::App* group =
        verb(&app_, "config", say({"Check and show the configuration", "設定を検査、表示する"}));
    group->require_subcommand(1);
    CLI::App* check = verb(group, "check", say({"Find every mistake", "誤りをすべて探す"}));
    check->add_option("FILE", config_file_,
                      say({"Instead of the file that serve would read",
                           "serve が読むファイルの代わりに使うファイル"}));
    runs(check,
         [this] { return host_.check_config(config_file(), wanted_language(host_, common_)); });
    CLI::App* show = verb(group, "show",
                          say({"The effective values and where each came from",
                               "有効な値と、それぞれの出どころを表示する"}));
    show->add_option("FILE", config_file_,
                     say({"Instead of the file that serve would read",
                          "serve が読むファイルの代わりに使うファイル"}));
    show->add_flag("--defaults", show_.defaults,
                   say({"A complete, explained file to start from", "説明付きのひな形を出力する"}));
    show->add_flag("--sites", show_.sites,
                   say({"The limits of receiving sites that are in force",
                        "受信側サイトごとの有効な制限を表示する"}));
    runs(show, [this] {
      show_.config = config_file();
      show_.language = wanted_language(host_, common_);
      return host_.show_config(show_);
    });
    CLI::App* reference =
        verb(group, "reference",
             say({"The text of docs/configuration.md", "docs/configuration.md の本文を出力する"}));
    runs(reference, [this] {
      out_ << host_.config_reference();
      return 0;
    });
  }

  // For the list of commands only: see run().
  void add_sink() {
    verb(&app_, kSink,
         say({"A scripted receiver for tests, demos and load: sink --help",
              "試験、デモ、負荷用の受信サーバー（詳しくは sink --help）"}));
  }

  // For the pages and the list of commands only: see run().
  void add_sendmail() {
    CLI::App* command = verb(
        &app_, kSendmail,
        say({"Hand in a message on standard input as the user of this machine that calls it: "
             "what a symlink named sendmail is",
             "標準入力のメールを、呼び出したユーザーとして渡す（sendmail という名前のシンボリッ"
             "クリンクはこれになる）"}));
    for (const SendmailOption& option : sendmail_options()) {
      if (option.help.en.empty()) continue;
      const std::string name = std::string("-") + option.letter;
      if (option.value == SendmailOption::Value::none) {
        command->add_flag(name)->description(say(option.help));
      } else {
        command->add_option(name, sendmail_value_, say(option.help))
            ->type_name(std::string(option.value_name));
      }
    }
    command->add_option("RECIPIENT", sendmail_value_, say({"Addresses", "宛先のアドレス"}));
    runs(command, [this] {
      err_ << "todoku: "
           << say({"sendmail comes first: todoku sendmail ...\n",
                   "sendmail は最初に書いてください: todoku sendmail ...\n"});
      return 2;
    });
  }

  void add_lambda() {
    CLI::App* command = verb(
        &app_, "lambda",
        say({"Be a function of AWS Lambda: lists put into S3 become imports, dead letters "
             "alarms",
             "AWS Lambda の関数として動く（S3 に置かれた CSV のインポート、デッドレターの警報）"}));
    runs(command, [this] { return host_.lambda(); });
  }

  [[nodiscard]] std::optional<std::string> config_file() const {
    return config_file_ ? config_file_ : common_.config;
  }

  [[nodiscard]] std::string say(const Sentence& sentence) const {
    return std::string(sentence.in(language_));
  }

  Host& host_;
  const Language language_;
  std::ostream& out_;
  std::ostream& err_;
  CLI::App app_{say({"todoku: mail delivery that can say where every mail ended",
                     "todoku: すべてのメールの行方がわかるメール配信エンジン"}),
                "todoku"};
  std::function<int()> command_;
  std::unique_ptr<AccountWords> accounts_;
  std::unique_ptr<SmtpCredentialWords> smtp_credentials_;
  std::unique_ptr<DomainWords> domains_;
  std::unique_ptr<CheckWords> checks_;
  std::unique_ptr<MailWords> mails_;
  std::unique_ptr<EngineWords> engine_;
  std::unique_ptr<PeopleWords> people_;
  std::unique_ptr<SenderWords> senders_;

  std::string shell_;
  std::vector<std::string> man_of_;
  Common common_;
  ServeOptions serve_;
  std::optional<std::string> config_file_;
  ConfigShowOptions show_;
  std::vector<std::string> sendmail_value_;
};

// As --lang says, also where the words are wrong otherwise; else as the environment does.
Language language_of(const std::vector<std::string>& arguments, const Host& host) {
  constexpr std::string_view kOption = "--lang";
  Common common;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    if (word == kOption && i + 1 < arguments.size()) common.language = arguments[i + 1];
    if (word.starts_with("--lang=")) common.language = word.substr(kOption.size() + 1);
  }
  return wanted_language(host, common);
}

}  // namespace

int run(const std::vector<std::string>& arguments, Host& host, std::ostream& out,
        std::ostream& err) {
  // The sink reads its words itself, --help among them.
  if (!arguments.empty() && arguments.front() == kSink) {
    return host.sink({arguments.begin() + 1, arguments.end()});
  }
  std::vector<std::string> words = arguments;
  if (!words.empty() && words.front() == kMailq) {
    words.front() = kSendmail;
    words.insert(words.begin() + 1, "-bp");
    if (words.back() == "--help") words = {kSendmail, "--help"};
  }
  // So does sendmail, whose words are older than ours; --help is the same for all.
  const bool is_sendmail = !words.empty() && words.front() == kSendmail;
  if (is_sendmail && (words.size() != 2 || words[1] != "--help")) {
    return sendmail({words.begin() + 1, words.end()}, host, out, err);
  }
  // "help" and "help queue" are what many try first.
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  return CommandLine(host, language_of(words, host), out, err).run(words);
}

}  // namespace todoku::cli
