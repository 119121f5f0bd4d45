// SPDX-License-Identifier: Apache-2.0
#include "cli/smtp_credential_words.h"

#include <utility>

#include <CLI/Validators.hpp>

#include "operate/calls/calls.h"

namespace todoku::cli {

namespace calls = operate::calls;

SmtpCredentialWords::SmtpCredentialWords(WordBook book) : book_(std::move(book)) {
  add();
}

void SmtpCredentialWords::add() {
  CLI::App* group = book_.verb(book_.app, "smtp-credential",
                               {"User names and passwords of the SMTP relay",
                                "SMTP リレーのユーザー名とパスワードを管理する"});
  group->require_subcommand(1);
  CLI::App* one =
      book_.verb(group, "add",
                 {"Add one and show its password, once", "追加して、パスワードを一度だけ表示する"});
  names(one);
  terms(one, calls::kAddSmtpCredential);
  password(one);
  one->add_flag("--sandbox", request_.sandbox,
                book_.say(calls::kAddSmtpCredential.find("sandbox")->help));
  book_.speaks(one, [this](Session& s) { return smtp_credential_add(s, request_); });
  CLI::App* list = book_.verb(group, "list", {"List them", "一覧を表示する"});
  book_.option(list, "--account", request_.account, calls::kListSmtpCredentials, "account");
  book_.speaks(list, [this](Session& s) { return smtp_credential_list(s, request_.account); });
  CLI::App* show =
      book_.verb(group, "show", {"Show what one may", "一つの認証情報の内容を表示する"});
  names(show);
  book_.speaks(show, [this](Session& s) { return smtp_credential_show(s, request_); });
  CLI::App* change = book_.verb(group, "change", {"Change what it may", "できることを変更する"});
  names(change);
  terms(change, calls::kChangeSmtpCredential);
  book_.speaks(change, [this](Session& s) { return smtp_credential_change(s, request_); });
  CLI::App* rotate = book_.verb(
      group, "rotate",
      {"Give it a new password and show it, once", "パスワードを替えて、一度だけ表示する"});
  names(rotate);
  book_.option(rotate, "--overlap-hours", request_.overlap_hours, calls::kRotateSmtpCredential,
               "overlap_hours");
  password(rotate);
  book_.speaks(rotate, [this](Session& s) { return smtp_credential_rotate(s, request_); });
  CLI::App* revoke =
      book_.verb(group, "revoke", {"Make it useless, within seconds", "数秒以内に無効にする"});
  names(revoke);
  book_.speaks(revoke, [this](Session& s) { return smtp_credential_revoke(s, request_); });
  CLI::App* hold = book_.verb(group, "hold",
                              {"Take nothing new of it, and send nothing of what was accepted",
                               "新しいメールを受けず、受け取り済みのメールも送らずに保留する"});
  names(hold);
  book_.option(hold, "--because", request_.because, calls::kHoldSmtpCredential, "because");
  book_.speaks(hold, [this](Session& s) { return smtp_credential_hold(s, request_); });
  CLI::App* release = book_.verb(
      group, "release",
      {"End its hold: what was accepted goes out", "保留をやめ、受け取り済みのメールを送る"});
  names(release);
  book_.speaks(release, [this](Session& s) { return smtp_credential_release(s, request_); });
  CLI::App* drop = book_.verb(group, "drop",
                              {"Cancel what it handed in and what has not left, while it is held",
                               "保留中に、受け取り済みで未送信のメールをすべて取り消す"});
  names(drop);
  drop->add_flag("--preview", request_.preview,
                 book_.say(calls::kDropSmtpMail.find("preview")->help));
  book_.option(drop, "--since", request_.since, calls::kDropSmtpMail, "since");
  book_.speaks(drop, [this](Session& s) { return smtp_credential_drop(s, request_); });
  CLI::App* lockouts = book_.verb(group, "lockouts",
                                  {"List who may not log in for a while, for wrong passwords",
                                   "パスワードの誤りで一時的にログインできない相手を表示する"});
  book_.speaks(lockouts, [](Session& s) { return smtp_credential_lockouts(s); });
  CLI::App* unlock =
      book_.verb(group, "unlock",
                 {"Let a user name or a network log in again at once",
                  "ユーザー名またはネットワークを、すぐにまたログインできるようにする"});
  book_.option(unlock, "WHICH", request_.which, calls::kUnlock, "which");
  book_.speaks(unlock, [this](Session& s) { return smtp_credential_unlock(s, request_.which); });
}

void SmtpCredentialWords::names(CLI::App* command) {
  book_.option(command, "ACCOUNT", request_.account, calls::kAddSmtpCredential, "account");
  book_.option(command, "NAME", request_.name, calls::kAddSmtpCredential, "name");
}

void SmtpCredentialWords::password(CLI::App* command) {
  auto* file =
      command->add_option("--password-file", request_.password_file,
                          book_.say({"File with a password of your choice, instead of a new one",
                                     "新しく作る代わりに使うパスワードのファイル"}));
  command
      ->add_flag_callback(
          "--password-stdin", [this] { request_.password_file = "-"; },
          book_.say({"The same from the standard input", "同じものを標準入力から読む"}))
      ->excludes(file);
}

void SmtpCredentialWords::terms(CLI::App* command, const operate::Call& call) {
  book_.option(command, "--traffic", request_.traffic, call, "traffic");
  book_.option(command, "--purpose", request_.purpose, call, "purpose");
  book_.option(command, "--options", request_.options, call, "options");
  book_.option(command, "--networks", request_.networks, call, "networks");
  book_.option(command, "--from", request_.from_address, call, "from_address");
  book_.option(command, "--days", request_.days, call, "days");
  book_.option(command, "--show-client", request_.show_client, call, "show_client");
  book_.option(command, "--bounces", request_.bounces, call, "bounces");
  book_.option(command, "--messages-per-minute", request_.messages_per_minute, call,
               "messages_per_minute");
  book_.option(command, "--recipients-per-minute", request_.recipients_per_minute, call,
               "recipients_per_minute");
  book_.option(command, "--bytes-per-minute", request_.bytes_per_minute, call, "bytes_per_minute");
  book_.option(command, "--connections", request_.connections_max, call, "connections_max");
  book_.option(command, "--uid", request_.uid, call, "uid");
}

}  // namespace todoku::cli
