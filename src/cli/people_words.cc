// SPDX-License-Identifier: Apache-2.0
#include "cli/people_words.h"

#include <utility>

#include <CLI/Validators.hpp>

#include "operate/calls/calls.h"

namespace todoku::cli {

namespace calls = operate::calls;

PeopleWords::PeopleWords(WordBook book) : book_(std::move(book)) {
  add_console();
  add_people();
}

void PeopleWords::add_console() {
  CLI::App* group = book_.verb(
      book_.app, "console",
      {"The console, where people sign in by a browser", "ブラウザーでサインインする管理画面"});
  group->require_subcommand(1);
  book_.speaks(book_.verb(group, "operator",
                          {"A link that makes who opens it an operator, once, within 15 minutes",
                           "開いた人を運用者にするリンクを作る（1 回限り、15 分間有効）"}),
               console_operator);
}

CLI::App* PeopleWords::of_person(CLI::App* group, const std::string& name, const Sentence& help) {
  CLI::App* const command = book_.verb(group, name, help);
  book_.option(command, "EMAIL", email_, calls::kPersonLink, "email");
  return command;
}

void PeopleWords::add_people() {
  CLI::App* group = book_.verb(
      book_.app, "people", {"Who signs in at the console", "管理画面にサインインする人を管理する"});
  group->require_subcommand(1);
  CLI::App* list = book_.verb(group, "list", {"List them", "一覧を表示する"});
  book_.option(list, "--account", account_, calls::kListPeople, "account");
  book_.speaks(list, [this](Session& s) { return people_list(s, account_); });
  CLI::App* invite = book_.verb(group, "invite",
                                {"Add somebody, and print the link by which they set a password",
                                 "人を追加し、パスワードを設定するためのリンクを表示する"});
  book_.option(invite, "EMAIL", invite_.email, calls::kInvitePerson, "email");
  book_.option(invite, "--account", invite_.account, calls::kInvitePerson, "account");
  book_.option(invite, "--role", invite_.role, calls::kInvitePerson, "role")
      ->check(CLI::IsMember({"owner", "sender", "viewer", "support", "operator"}));
  book_.option(invite, "--name", invite_.name, calls::kInvitePerson, "name");
  book_.option(invite, "--mail-language", invite_.language, calls::kInvitePerson, "language")
      ->check(CLI::IsMember({"en", "ja"}));
  book_.speaks(invite, [this](Session& s) { return people_invite(s, invite_); });
  book_.speaks(of_person(group, "reset",
                         {"Print a link by which somebody sets another password",
                          "パスワードを設定し直すためのリンクを表示する"}),
               [this](Session& s) { return people_reset(s, email_); });
  book_.speaks(of_person(group, "suspend",
                         {"Let somebody sign in no more; what is open ends",
                          "サインインを止め、開いているものも終了させる"}),
               [this](Session& s) { return people_suspend(s, email_, true); });
  book_.speaks(of_person(group, "resume", {"Undo suspend", "停止を解除する"}),
               [this](Session& s) { return people_suspend(s, email_, false); });
  book_.speaks(of_person(group, "remove", {"Remove somebody", "人を削除する"}),
               [this](Session& s) { return people_remove(s, email_); });
}

}  // namespace todoku::cli
