// SPDX-License-Identifier: Apache-2.0
#include "cli/account_words.h"

#include <utility>

#include <CLI/Validators.hpp>

#include "operate/calls/calls.h"

namespace todoku::cli {

namespace calls = operate::calls;

AccountWords::AccountWords(WordBook book) : book_(std::move(book)) {
  add_account();
  add_key();
}

void AccountWords::add_account() {
  CLI::App* group = book_.verb(book_.app, "account",
                               {"The accounts that may send", "送信できるアカウントを管理する"});
  group->require_subcommand(1);
  CLI::App* add = book_.verb(
      group, "add",
      {"Add an account, with a first API key", "アカウントを、最初の API キーとともに追加する"});
  account_name(add);
  book_.option(add, "--weight", account_.weight, calls::kAddAccount, "weight");
  add->add_flag("--no-key", account_.without_key,
                book_.say({"Without an API key", "API キーを作らない"}));
  add->add_flag("--sandbox", account_.sandbox, book_.say(calls::kAddAccount.find("sandbox")->help));
  book_.speaks(add, [this](Session& session) { return account_add(session, account_); });
  book_.speaks(book_.verb(group, "list", {"List them", "一覧を表示する"}), account_list);
  CLI::App* suspend = book_.verb(
      group, "suspend",
      {"Refuse its requests and start nothing new", "リクエストを拒否し、新たな配信を始めない"});
  account_name(suspend);
  book_.speaks(suspend, [this](Session& s) { return account_suspend(s, account_.name, true); });
  CLI::App* resume = book_.verb(group, "resume", {"Undo suspend", "停止を解除する"});
  account_name(resume);
  book_.speaks(resume, [this](Session& s) { return account_suspend(s, account_.name, false); });
  CLI::App* weight = book_.verb(group, "weight",
                                {"Change its share of the engine", "エンジンを使う割合を変更する"});
  account_name(weight);
  book_.option(weight, "WEIGHT", account_.weight, calls::kChangeAccount, "weight")->required();
  book_.speaks(weight,
               [this](Session& s) { return account_weight(s, account_.name, account_.weight); });
  CLI::App* text = book_.verb(group, "text-from-html",
                              {"Whether its mail with HTML only gets a text part made from it",
                               "HTML だけのメールにテキストパートを作って付けるかどうか"});
  account_name(text);
  text->add_option("ON", account_text_, book_.say({"on or off", "on または off"}))
      ->required()
      ->check(CLI::IsMember({"on", "off"}));
  book_.speaks(text, [this](Session& s) {
    return account_text_from_html(s, account_.name, account_text_ == "on");
  });
  CLI::App* retention =
      book_.verb(group, "retention",
                 {"How long its mail is kept after it is over; without options: tell",
                  "配信が終わってから残す期間を変える。オプションなしなら表示する"});
  book_.option(retention, "NAME", account_.name, calls::kKeepFor, "account");
  book_.option(retention, "--content-days", retention_.content_days, calls::kKeepFor,
               "content_days");
  book_.option(retention, "--story-days", retention_.story_days, calls::kKeepFor, "story_days");
  book_.speaks(retention,
               [this](Session& s) { return account_retention(s, account_.name, retention_); });
  CLI::App* opens = book_.verb(group, "open-tracking",
                               {"Whether opening its HTML mail is told (docs/api.md)",
                                "HTML メールの開封を記録するかどうか（docs/api.md）"});
  account_name(opens);
  opens->add_option("ON", account_text_, book_.say({"on or off", "on または off"}))
      ->required()
      ->check(CLI::IsMember({"on", "off"}));
  book_.speaks(opens, [this](Session& s) {
    return account_open_tracking(s, account_.name, account_text_ == "on");
  });
  CLI::App* preflight =
      book_.verb(group, "preflight",
                 {"What becomes of a bulk that breaks the rules for bulk senders, at its commit",
                  "一括送信者向けのルールに反する一括配信を、確定時にどう扱うか"});
  account_name(preflight);
  preflight
      ->add_option("MODE", account_text_,
                   book_.say({"off, warn or enforce", "off、warn または enforce"}))
      ->required()
      ->check(CLI::IsMember({"off", "warn", "enforce"}));
  book_.speaks(preflight, [this](Session& s) {
    return account_preflight(s, account_.name,
                             parse_preflight_mode(account_text_).value_or(PreflightMode::warn));
  });
  CLI::App* allow = book_.verb(group, "allow",
                               {"To whom alone it may send; without anybody: tell",
                                "送信を許可する宛先を限る。宛先なしなら現在の設定を表示する"});
  account_name(allow);
  allow->add_option("RECIPIENT", allowed_,
                    book_.say({"Addresses, domains, and *.domain for all below it",
                               "アドレス、ドメイン、*.ドメイン（その下すべて）"}));
  allow->add_flag("--everybody", allow_everybody_,
                  book_.say({"No bounds any more", "制限をなくす"}));
  book_.speaks(allow, [this](Session& s) {
    return account_allow(s, account_.name, allowed_, allow_everybody_);
  });
  add_account_limit(group);
}

void AccountWords::add_account_limit(CLI::App* group) {
  CLI::App* limit = book_.verb(group, "limit",
                               {"What it may do in a time; 0: no limit of its own",
                                "期間ごとの上限を決める。0 は個別の上限なし"});
  account_name(limit);
  const auto add = [&](const std::string& name, std::optional<std::int64_t>& target,
                       std::string_view argument) {
    book_.option(limit, name, target, calls::kChangeAccount, argument);
  };
  add("--requests-per-minute", account_limit_.requests_per_minute, "requests_per_minute");
  add("--mails-per-minute", account_limit_.mails_per_minute, "mails_per_minute");
  add("--mails-per-day", account_limit_.mails_per_day, "mails_per_day");
  add("--mails-per-month", account_limit_.mails_per_month, "mails_per_month");
  book_.speaks(limit,
               [this](Session& s) { return account_limit(s, account_.name, account_limit_); });
}

void AccountWords::account_name(CLI::App* command) {
  book_.option(command, "ACCOUNT", account_.name, calls::kChangeAccount, "account");
}

void AccountWords::add_key() {
  CLI::App* group = book_.verb(book_.app, "key",
                               {"The API keys of an account", "アカウントの API キーを管理する"});
  group->require_subcommand(1);
  CLI::App* add =
      book_.verb(group, "add", {"Add a key and show it, once", "キーを追加して、一度だけ表示する"});
  account_name(add);
  book_.option(add, "--label", key_.label, calls::kAddKey, "label");
  book_.option(add, "--scopes", key_.scopes, calls::kAddKey, "scopes");
  book_.option(add, "--networks", key_.networks, calls::kAddKey, "networks");
  book_.option(add, "--days", key_.days, calls::kAddKey, "days");
  add->add_flag("--sandbox", key_.sandbox, book_.say(calls::kAddKey.find("sandbox")->help));
  book_.speaks(add, [this](Session& s) { return key_add(s, account_.name, key_); });
  CLI::App* list = book_.verb(group, "list", {"List them", "一覧を表示する"});
  account_name(list);
  book_.speaks(list, [this](Session& s) { return key_list(s, account_.name); });
  CLI::App* rotate = book_.verb(group, "rotate",
                                {"Make a key that takes the place of another and show it, once",
                                 "置き換え用の新しいキーを作り、一度だけ表示する"});
  account_name(rotate);
  book_.option(rotate, "ID", key_id_, calls::kRotateKey, "id");
  book_.option(rotate, "--overlap-hours", key_overlap_hours_, calls::kRotateKey, "overlap_hours");
  book_.speaks(rotate, [this](Session& s) {
    return key_rotate(s, account_.name, key_id_, key_overlap_hours_);
  });
  CLI::App* revoke = book_.verb(
      group, "revoke", {"Make a key useless, within seconds", "キーを数秒以内に無効にする"});
  account_name(revoke);
  book_.option(revoke, "ID", key_id_, calls::kRevokeKey, "id");
  book_.speaks(revoke, [this](Session& s) { return key_revoke(s, account_.name, key_id_); });
}

}  // namespace todoku::cli
