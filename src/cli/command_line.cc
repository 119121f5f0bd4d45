// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "base/check.h"
#include "base/facts.h"
#include "base/spelling.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/parser_words.h"
#include "cli/sender_words.h"
#include "cli/sendmail.h"
#include "cli/sendmail_options.h"
#include "cli/smtp_credential_words.h"
#include "operate/calls/calls.h"

namespace todoku::cli {
namespace {

namespace calls = operate::calls;

constexpr const char* kSink = "sink";
constexpr const char* kSendmail = "sendmail";

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
    add_account();
    add_key();
    smtp_credentials_ = std::make_unique<SmtpCredentialWords>(word_book());
    add_dkim();
    add_domain();
    add_explain();
    add_stuck();
    add_suppression();
    add_operating();
    add_cluster();
    add_migrate();
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

  template <class Target>
  CLI::Option* option(CLI::App* command, const std::string& name, Target& target,
                      const operate::Call& call, std::string_view argument) {
    return declare_option(command, name, target, call, argument, language_);
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

  void add_account() {
    CLI::App* group = verb(&app_, "account",
                           say({"The accounts that may send", "送信できるアカウントを管理する"}));
    group->require_subcommand(1);
    CLI::App* add = verb(group, "add",
                         say({"Add an account, with a first API key",
                              "アカウントを、最初の API キーとともに追加する"}));
    account_name(add);
    option(add, "--weight", account_.weight, calls::kAddAccount, "weight");
    add->add_flag("--no-key", account_.without_key,
                  say({"Without an API key", "API キーを作らない"}));
    speaks(add, [this](Session& session) { return account_add(session, account_); });
    speaks(verb(group, "list", say({"List them", "一覧を表示する"})), account_list);
    CLI::App* suspend = verb(group, "suspend",
                             say({"Refuse its requests and start nothing new",
                                  "リクエストを拒否し、新たな配信を始めない"}));
    account_name(suspend);
    speaks(suspend, [this](Session& s) { return account_suspend(s, account_.name, true); });
    CLI::App* resume = verb(group, "resume", say({"Undo suspend", "停止を解除する"}));
    account_name(resume);
    speaks(resume, [this](Session& s) { return account_suspend(s, account_.name, false); });
    CLI::App* weight = verb(
        group, "weight", say({"Change its share of the engine", "エンジンを使う割合を変更する"}));
    account_name(weight);
    option(weight, "WEIGHT", account_.weight, calls::kChangeAccount, "weight")->required();
    speaks(weight,
           [this](Session& s) { return account_weight(s, account_.name, account_.weight); });
    CLI::App* text = verb(group, "text-from-html",
                          say({"Whether its mail with HTML only gets a text part made from it",
                               "HTML だけのメールにテキストパートを作って付けるかどうか"}));
    account_name(text);
    text->add_option("ON", account_text_, say({"on or off", "on または off"}))
        ->required()
        ->check(CLI::IsMember({"on", "off"}));
    speaks(text, [this](Session& s) {
      return account_text_from_html(s, account_.name, account_text_ == "on");
    });
    CLI::App* opens = verb(group, "open-tracking",
                           say({"Whether opening its HTML mail is told (docs/api.md)",
                                "HTML メールの開封を記録するかどうか（docs/api.md）"}));
    account_name(opens);
    opens->add_option("ON", account_text_, say({"on or off", "on または off"}))
        ->required()
        ->check(CLI::IsMember({"on", "off"}));
    speaks(opens, [this](Session& s) {
      return account_open_tracking(s, account_.name, account_text_ == "on");
    });
    add_account_limit(group);
  }

  void add_account_limit(CLI::App* group) {
    CLI::App* limit = verb(group, "limit",
                           say({"What it may do in a time; 0: no limit of its own",
                                "期間ごとの上限を決める。0 は個別の上限なし"}));
    account_name(limit);
    const auto add = [&](const std::string& name, std::optional<std::int64_t>& target,
                         std::string_view argument) {
      option(limit, name, target, calls::kChangeAccount, argument);
    };
    add("--requests-per-minute", account_limit_.requests_per_minute, "requests_per_minute");
    add("--mails-per-minute", account_limit_.mails_per_minute, "mails_per_minute");
    add("--mails-per-day", account_limit_.mails_per_day, "mails_per_day");
    add("--mails-per-month", account_limit_.mails_per_month, "mails_per_month");
    speaks(limit, [this](Session& s) { return account_limit(s, account_.name, account_limit_); });
  }

  void account_name(CLI::App* command) {
    option(command, "ACCOUNT", account_.name, calls::kChangeAccount, "account");
  }

  void add_key() {
    CLI::App* group =
        verb(&app_, "key", say({"The API keys of an account", "アカウントの API キーを管理する"}));
    group->require_subcommand(1);
    CLI::App* add = verb(group, "add",
                         say({"Add a key and show it, once", "キーを追加して、一度だけ表示する"}));
    account_name(add);
    option(add, "--label", key_.label, calls::kAddKey, "label");
    option(add, "--scopes", key_.scopes, calls::kAddKey, "scopes");
    option(add, "--networks", key_.networks, calls::kAddKey, "networks");
    option(add, "--days", key_.days, calls::kAddKey, "days");
    speaks(add, [this](Session& s) { return key_add(s, account_.name, key_); });
    CLI::App* list = verb(group, "list", say({"List them", "一覧を表示する"}));
    account_name(list);
    speaks(list, [this](Session& s) { return key_list(s, account_.name); });
    CLI::App* rotate = verb(group, "rotate",
                            say({"Make a key that takes the place of another and show it, once",
                                 "置き換え用の新しいキーを作り、一度だけ表示する"}));
    account_name(rotate);
    option(rotate, "ID", key_id_, calls::kRotateKey, "id");
    option(rotate, "--overlap-hours", key_overlap_hours_, calls::kRotateKey, "overlap_hours");
    speaks(rotate, [this](Session& s) {
      return key_rotate(s, account_.name, key_id_, key_overlap_hours_);
    });
    CLI::App* revoke = verb(
        group, "revoke", say({"Make a key useless, within seconds", "キーを数秒以内に無効にする"}));
    account_name(revoke);
    option(revoke, "ID", key_id_, calls::kRevokeKey, "id");
    speaks(revoke, [this](Session& s) { return key_revoke(s, account_.name, key_id_); });
  }

  void add_dkim() {
    CLI::App* group =
        verb(&app_, "dkim", say({"The keys that sign mail", "メールに署名する鍵を管理する"}));
    group->require_subcommand(1);
    CLI::App* generate =
        verb(group, "generate",
             say({"Make a key and print its DNS record", "鍵を作り、DNS レコードを表示する"}));
    dkim_names(generate, false);
    generate->add_flag("--ed25519", dkim_.ed25519,
                       say({"Ed25519 instead of RSA-2048", "RSA-2048 の代わりに Ed25519 を使う"}));
    speaks(generate, [this](Session& s) { return dkim_generate(s, dkim_); });
    CLI::App* import = verb(
        group, "import", say({"Take over a key made elsewhere", "別の場所で作った鍵を取り込む"}));
    dkim_names(import, true);
    import
        ->add_option(
            "--pem", dkim_.pem_file,
            say({"File of the unencrypted private key", "暗号化していない秘密鍵のファイル"}))
        ->required();
    speaks(import, [this](Session& s) { return dkim_generate(s, dkim_); });
    CLI::App* list = verb(group, "list", say({"List them", "一覧を表示する"}));
    option(list, "--account", dkim_.account, calls::kListDkim, "account");
    speaks(list, [this](Session& s) { return dkim_list(s, dkim_.account); });
    CLI::App* show =
        verb(group, "show",
             say({"Print the DNS record of a key again", "鍵の DNS レコードを再び表示する"}));
    dkim_names(show, true);
    speaks(show, [this](Session& s) { return dkim_show(s, dkim_); });
    CLI::App* remove =
        verb(group, "remove",
             say({"Remove a key; mail that was to be signed with it waits until its life ends",
                  "鍵を削除する。この鍵で署名するはずだったメールは、期限が来るまで待機する"}));
    dkim_names(remove, true);
    speaks(remove, [this](Session& s) { return dkim_remove(s, dkim_); });
  }

  void dkim_names(CLI::App* command, bool selector_required) {
    const operate::Call& call = selector_required ? calls::kShowDkim : calls::kAddDkim;
    option(command, "--account", dkim_.account, call, "account");
    option(command, "--domain", dkim_.domain, call, "domain");
    option(command, "--selector", dkim_.selector, call, "selector");
  }

  void add_domain() {
    CLI::App* group = verb(
        &app_, "domain",
        say({"The domains that accounts send from", "アカウントが差出人に使うドメインを管理する"}));
    group->require_subcommand(1);
    CLI::App* add = verb(group, "add",
                         say({"Claim a domain and print the record that proves it",
                              "ドメインを登録し、所有を証明する DNS レコードを表示する"}));
    domain_names(add, calls::kAddDomain);
    add->add_flag("--proven", domain_proven_,
                  std::string(calls::kAddDomain.find("proven")->help.in(language_)));
    speaks(add, [this](Session& s) { return domain_add(s, domain_, domain_proven_); });
    CLI::App* list = verb(group, "list", say({"List them", "一覧を表示する"}));
    option(list, "--account", domain_.account, calls::kListDomains, "account");
    speaks(list, [this](Session& s) { return domain_list(s, domain_.account); });
    CLI::App* verify =
        verb(group, "verify", say({"Look for its record now", "DNS レコードをすぐに確認する"}));
    domain_names(verify, calls::kVerifyDomain);
    speaks(verify, [this](Session& s) { return domain_verify(s, domain_); });
    CLI::App* remove =
        verb(group, "remove",
             say({"Let the account send from it no longer", "そのドメインからの送信を終える"}));
    domain_names(remove, calls::kRemoveDomain);
    speaks(remove, [this](Session& s) { return domain_remove(s, domain_); });
    CLI::App* consent =
        verb(group, "consent",
             say({"Let another account have it, or domains below it, too",
                  "別のアカウントが同じドメインやサブドメインを使うことに同意する"}));
    domain_names(consent, calls::kConsent);
    option(consent, "TO", domain_to_, calls::kConsent, "to");
    consent->add_flag("--withdraw", domain_withdrawn_,
                      std::string(calls::kConsent.find("withdrawn")->help.in(language_)));
    speaks(consent, [this](Session& s) {
      return domain_consent(s, domain_, domain_to_, domain_withdrawn_);
    });
  }

  void domain_names(CLI::App* command, const operate::Call& call) {
    option(command, "ACCOUNT", domain_.account, call, "account");
    option(command, "DOMAIN", domain_.domain, call, "domain");
  }

  void add_explain() {
    CLI::App* command = verb(&app_, "explain",
                             say({"Tell what became of mail to an address",
                                  "アドレス宛てのメールがどうなったかを説明する"}));
    option(command, "ADDRESS", explain_.address, calls::kExplain, "address");
    option(command, "--account", explain_.account, calls::kExplain, "account");
    option(command, "--limit", explain_.limit, calls::kExplain, "limit");
    command->add_flag(
        "--utc", explain_.utc,
        say({"Times in UTC instead of Japan's", "時刻を日本時間ではなく UTC で表示する"}));
    speaks(command, [this](Session& s) { return explain_address(s, explain_); });
  }

  void add_stuck() {
    CLI::App* group = verb(&app_, "stuck",
                           say({"The mails that are set aside: processes died with them",
                                "隔離中のメール（処理中にプロセスが異常終了したもの）を表示する"}));
    group->require_subcommand(0, 1);
    option(group, "--limit", stuck_list_.limit, calls::kListStuck, "limit");
    group->add_flag(
        "--utc", stuck_list_.utc,
        say({"Times in UTC instead of Japan's", "時刻を日本時間ではなく UTC で表示する"}));
    speaks(group, [this](Session& s) { return stuck_list(s, stuck_list_); });
    CLI::App* release =
        verb(group, "release",
             say({"Have one tried again, or all", "1 通、またはすべての隔離を解除して再び試す"}));
    CLI::Option* account =
        option(release, "ACCOUNT", stuck_.account, calls::kReleaseStuck, "account")
            ->required(false);
    CLI::Option* email = option(release, "EMAIL", stuck_.email_id, calls::kReleaseStuck, "email_id")
                             ->required(false);
    CLI::Option* all = release->add_flag(
        "--all", stuck_.all, say({"All that are set aside now", "いま隔離中のものすべて"}));
    account->needs(email);
    all->excludes(account);
    release->require_option(1, 2);
    speaks(release, [this](Session& s) { return stuck_release(s, stuck_); });
  }

  void add_suppression() {
    CLI::App* group = verb(&app_, "suppression",
                           say({"Whom mail is not sent to", "送信を止めるアドレスのリスト"}));
    group->require_subcommand(1);
    CLI::App* list = verb(group, "list", say({"The list", "リストを表示する"}));
    option(list, "--account", stop_.account, calls::kListSuppressions, "account");
    speaks(list, [this](Session& s) { return suppression_list(s, stop_.account); });
    CLI::App* look = verb(group, "look",
                          say({"Whether mail to an address is stopped, and why",
                               "アドレスへの送信が止められているか、その理由を表示する"}));
    option(look, "--account", stop_.account, calls::kLookSuppression, "account");
    option(look, "ADDRESS", stop_.address, calls::kLookSuppression, "address");
    speaks(look, [this](Session& s) {
      return suppression_look(s, {.account = stop_.account, .address = stop_.address});
    });
    CLI::App* add = verb(group, "add", say({"Put one on the list", "リストに登録する"}));
    option(add, "--account", stop_.account, calls::kAddSuppression, "account");
    option(add, "ADDRESS", stop_.address, calls::kAddSuppression, "address");
    option(add, "--reason", stop_.reason, calls::kAddSuppression, "reason");
    option(add, "--scope", stop_.scope, calls::kAddSuppression, "scope");
    option(add, "--list", stop_.list_id, calls::kAddSuppression, "list_id");
    option(add, "--note", stop_.note, calls::kAddSuppression, "note");
    option(add, "--days", stop_.days, calls::kAddSuppression, "days");
    speaks(add, [this](Session& s) { return suppression_add(s, stop_); });
    CLI::App* remove = verb(group, "remove", say({"Take one off the list", "リストから外す"}));
    option(remove, "--account", stop_.account, calls::kRemoveSuppression, "account");
    option(remove, "ADDRESS", stop_.address, calls::kRemoveSuppression, "address");
    option(remove, "--reason", stop_.reason, calls::kRemoveSuppression, "reason");
    option(remove, "--list", stop_.list_id, calls::kRemoveSuppression, "list_id");
    option(remove, "--why", stop_why_, calls::kRemoveSuppression, "why");
    speaks(remove, [this](Session& s) {
      return suppression_remove(s, {.account = stop_.account,
                                    .address = stop_.address,
                                    .reason = stop_.reason,
                                    .list_id = stop_.list_id,
                                    .why = stop_why_});
    });
    CLI::App* import =
        verb(group, "import", say({"Add the rows of a CSV file", "CSV ファイルの行を登録する"}));
    option(import, "--account", stop_.account, calls::kImportSuppressions, "account");
    import->add_option("FILE", stop_file_, say({"A CSV file", "CSV ファイル"}))->required();
    speaks(import, [this](Session& s) {
      return suppression_import(s, {.account = stop_.account, .file = stop_file_});
    });
    CLI::App* out = verb(group, "export",
                         say({"The list as CSV, on standard output", "リストを CSV で出力する"}));
    option(out, "--account", stop_.account, calls::kExportSuppressions, "account");
    speaks(out, [this](Session& s) { return suppression_export(s, stop_.account); });
  }

  void add_operating() {
    speaks(verb(&app_, "status", say({"What the engine does", "エンジンの状態を表示する"})),
           show_status);
    CLI::App* draining =
        verb(&app_, "drain",
             say({"Finish what is in flight, then stop", "処理中のものを終えてから停止する"}));
    draining
        ->add_option("--wait", drain_seconds_,
                     say({"Seconds to wait for the end", "停止を待つ秒数"}))
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{86'400}));
    speaks(draining, [this](Session& s) { return drain(s, std::chrono::seconds(drain_seconds_)); });
    speaks(verb(&app_, "healthcheck",
                say({"Exit status 0 if the engine is ready",
                     "エンジンが受け付け可能なら終了コード 0"})),
           healthcheck);
    runs(verb(&app_, "version", say({"Print the version", "バージョンを表示する"})), [this] {
      out_ << "todoku " << host_.version() << '\n';
      return 0;
    });
  }

  void add_cluster() {
    CLI::App* nodes = verb(&app_, "nodes",
                           say({"The processes that work on the store, and what each holds",
                                "ストアを使っているプロセスと、それぞれが受け持つ量を表示する"}));
    nodes->add_flag(
        "--utc", nodes_utc_,
        say({"Times in UTC instead of Japan's", "時刻を日本時間ではなく UTC で表示する"}));
    speaks(nodes, [this](Session& s) { return list_nodes(s, nodes_utc_); });
    CLI::App* group = verb(
        &app_, "cluster",
        say({"The names under which a store is served", "ストアを使うクラスターの名前を管理する"}));
    group->require_subcommand(1);
    CLI::App* adopt = verb(group, "adopt",
                           say({"Let this installation work on a store that had other names",
                                "別の名前で使われていたストアを、この設定で使えるようにする"}));
    CLI::Option* send =
        adopt->add_flag("--send-waiting", send_waiting_,
                        say({"What waits in it is sent", "送信待ちのものを、そのまま送信する"}));
    adopt
        ->add_flag("--cancel-waiting", cancel_waiting_,
                   say({"What waits in it is cancelled", "送信待ちのものを、すべて取り消す"}))
        ->excludes(send);
    speaks(adopt, [this](Session& s) {
      return adopt_cluster(s, send_waiting_     ? WhatWaits::sent
                              : cancel_waiting_ ? WhatWaits::cancelled
                                                : WhatWaits::unsaid);
    });
  }

  void add_migrate() {
    CLI::App* group = verb(&app_, "migrate",
                           say({"The tables of a store on PostgreSQL, made in steps",
                                "PostgreSQL 上のテーブルを段階的に作成、更新する"}));
    group->require_subcommand(0, 1);
    CLI::Option* from = group->add_option(
        "--from", carry_from_,
        say({"Carry a store over, of a stopped engine: sqlite:FOLDER, or its database file",
             "停止中のエンジンのデータを移行する: "
             "sqlite:フォルダー、またはデータベースのファイル"}));
    group
        ->add_option("--to", carry_to_,
                     say({"Where to: postgres, as configured", "移行先: postgres（設定のもの）"}))
        ->check(CLI::IsMember({"postgres"}))
        ->needs(from);
    speaks(group, [this](Session& s) { return migrate_from(s, carry_from_); });
    group->parse_complete_callback([this, group] {
      const bool verb = !group->get_subcommands().empty();
      if (!verb && carry_from_.empty()) throw CLI::RequiredError::Subcommand(1);
      if (verb && !carry_from_.empty()) {
        throw CLI::ExcludesError("--from", group->get_subcommands().front()->get_name());
      }
    });
    speaks(verb(group, "status",
                say({"Which steps there are, and which are taken",
                     "どの手順があり、どれが実行済みかを表示する"})),
           migrate_status);
    CLI::App* up =
        verb(group, "up", say({"Take those that are missing", "未実行の手順を実行する"}));
    up->add_option("--wait", migrate_seconds_,
                   say({"Seconds to wait for others who hold what a step needs",
                        "手順に必要なロックを他者が持つとき、待つ秒数"}))
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{86'400}));
    speaks(up,
           [this](Session& s) { return migrate_up(s, std::chrono::seconds(migrate_seconds_)); });
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
  std::unique_ptr<SmtpCredentialWords> smtp_credentials_;
  std::unique_ptr<SenderWords> senders_;

  std::string shell_;
  std::vector<std::string> man_of_;
  Common common_;
  ServeOptions serve_;
  std::optional<std::string> config_file_;
  ConfigShowOptions show_;
  AccountAdd account_;
  std::string account_text_;
  KeyRequest key_;
  std::int64_t key_id_ = 0;
  std::optional<std::int64_t> key_overlap_hours_;
  DkimGenerate dkim_;
  DomainNames domain_;
  bool domain_proven_ = false;
  bool domain_withdrawn_ = false;
  std::string domain_to_;
  AccountLimit account_limit_;
  Explain explain_;
  StuckList stuck_list_;
  StuckRelease stuck_;
  SuppressionAdd stop_;
  std::string stop_why_;
  std::string stop_file_;
  int drain_seconds_ = 600;
  int migrate_seconds_ = 60;
  bool nodes_utc_ = false;
  bool send_waiting_ = false;
  bool cancel_waiting_ = false;
  std::vector<std::string> sendmail_value_;
  std::string carry_from_;
  std::string carry_to_ = "postgres";
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
  // So does sendmail, whose words are older than ours; --help is the same for all.
  const bool is_sendmail = !arguments.empty() && arguments.front() == kSendmail;
  if (is_sendmail && (arguments.size() != 2 || arguments[1] != "--help")) {
    return sendmail({arguments.begin() + 1, arguments.end()}, host, out, err);
  }
  // "help" and "help queue" are what many try first.
  std::vector<std::string> words = arguments;
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  return CommandLine(host, language_of(words, host), out, err).run(words);
}

}  // namespace todoku::cli
