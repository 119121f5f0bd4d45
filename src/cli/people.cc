// SPDX-License-Identifier: Apache-2.0
// todoku console operator, todoku people list|invite|reset|suspend|resume|remove
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands.h"
#include "operate/calls/calls.h"

namespace todoku::cli {
namespace {

using operate::Given;
namespace calls = operate::calls;

// For the audit: which user of the machine.
Given with_actor(const operate::Call& call) {
  return Given(call).with("actor", fmt::format("operator, uid {}", getuid()));
}

// The link alone on its line: it is copied.
void print_link(Session& session, const boost::json::value& link, const Sentence& what) {
  session.say(what, text_of(link, "email"));
  session.out() << '\n' << text_of(link, "url") << "\n\n";
  session.say({"It is good once, until {}, and is not shown again.",
               "1 回だけ、{} まで有効です。もう一度表示することはできません。"},
              time_of(link, "end"));
}

Sentence state_of(const boost::json::value& person) {
  if (truth_of(person, "suspended")) return {"suspended", "停止中"};
  if (truth_of(person, "invited")) return {"invited", "招待中"};
  return {"active", "有効"};
}

}  // namespace

int console_operator(Session& session) {
  return session.call(with_actor(calls::kOperatorLink), [&](const boost::json::value& link) {
    print_link(session, link,
               {"Whoever opens this link in a browser becomes an operator of the installation:",
                "このリンクをブラウザーで開いた人が、インストール全体の運用者になります。"});
  });
}

int people_list(Session& session, const std::string& account) {
  Given given(calls::kListPeople);
  if (!account.empty()) given.with("account", account);
  return session.call(given, [&](const boost::json::value& answer) {
    std::vector<std::vector<std::string>> rows = {
        {session.words({"ADDRESS", "アドレス"}), session.words({"NAME", "名前"}),
         session.words({"ROLE", "役割"}), session.words({"STATE", "状態"}),
         session.words({"SECOND FACTOR", "2段階認証"}),
         session.words({"SIGNED IN LAST", "最終サインイン"})}};
    for (const auto& person : list_of(answer, "people")) {
      rows.push_back({text_of(person, "email"), text_of(person, "name"), text_of(person, "role"),
                      session.words(state_of(person)),
                      truth_of(person, "second_factor") ? session.words({"on", "有効"})
                                                        : session.words({"off", "無効"}),
                      time_of(person, "seen")});
    }
    print_table(session.out(), std::move(rows));
  });
}

int people_invite(Session& session, const PersonInvite& wish) {
  Given given = with_actor(calls::kInvitePerson).with("email", wish.email);
  if (!wish.account.empty()) given.with("account", wish.account);
  if (!wish.role.empty()) given.with("role", wish.role);
  if (!wish.name.empty()) given.with("name", wish.name);
  const bool is_japanese = session.language() == Language::japanese;
  given.with("language", !wish.language.empty() ? wish.language : is_japanese ? "ja" : "en");
  return session.call(given, [&](const boost::json::value& link) {
    print_link(session, link,
               {"{} is added. By this link they set a password, and sign in:",
                "{} を追加しました。このリンクでパスワードを設定し、サインインします。"});
  });
}

int people_reset(Session& session, const std::string& email) {
  return session.call(with_actor(calls::kPersonLink).with("email", email),
                      [&](const boost::json::value& link) {
                        print_link(session, link,
                                   {"By this link {} sets another password:",
                                    "このリンクで、{} のパスワードを設定し直します。"});
                      });
}

int people_suspend(Session& session, const std::string& email, bool suspended) {
  return session.call(
      with_actor(calls::kSuspendPerson).with("email", email).with("suspended", suspended),
      [&](const boost::json::value&) {
        if (suspended) {
          session.say(
              {"{} signs in no more, and within 2 s nothing is open to them.",
               "{} のサインインを止めました。2 秒以内に、開いているものも使えなくなります。"},
              email);
        } else {
          session.say({"{} may sign in again.", "{} は再びサインインできます。"}, email);
        }
      });
}

int people_remove(Session& session, const std::string& email) {
  return session.call(with_actor(calls::kRemovePerson).with("email", email),
                      [&](const boost::json::value&) {
                        session.say({"{} is removed.", "{} を削除しました。"}, email);
                      });
}

}  // namespace todoku::cli
