// SPDX-License-Identifier: Apache-2.0
// todoku account add|list|suspend|resume|weight|text-from-html
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/issued_key.h"
#include "operate/calls/calls.h"

namespace todoku::cli {
namespace {

using operate::Given;
namespace calls = operate::calls;

// `done` has places for the name and the value.
int change(Session& session, const std::string& name, std::string_view what,
           operate::Given::Value value, const Sentence& done, std::int64_t number = 0) {
  return session.call(
      Given(calls::kChangeAccount).with("account", name).with(what, std::move(value)),
      [&](const boost::json::value&) { session.say(done, name, number); });
}

}  // namespace

int account_add(Session& session, const AccountAdd& options) {
  return session.call(Given(calls::kAddAccount)
                          .with("name", options.name)
                          .with("weight", options.weight)
                          .with("with_key", !options.without_key),
                      [&](const boost::json::value& account) {
                        session.say({"Account {} added.", "アカウント {} を追加しました。"},
                                    options.name);
                        if (!options.without_key) {
                          print_issued_key(session, account.at("key"));
                        }
                      });
}

int account_list(Session& session) {
  return session.list(
      Given(calls::kListAccounts), "accounts", [&](const boost::json::value& answer) {
        std::vector<std::vector<std::string>> rows = {
            {session.words({"ACCOUNT", "アカウント"}), session.words({"STATE", "状態"}),
             session.words({"WEIGHT", "割合"}), session.words({"KEYS", "キー数"}),
             session.words({"ADDED", "追加日時"}),
             session.words({"TEXT FROM HTML", "HTML からテキスト"})}};
        for (const auto& account : list_of(answer, "accounts")) {
          rows.push_back(
              {text_of(account, "name"),
               session.words(truth_of(account, "suspended") ? Sentence{"suspended", "停止中"}
                                                            : Sentence{"active", "有効"}),
               fmt::format("{}", number_of(account, "weight")),
               fmt::format("{}", number_of(account, "keys")), time_of(account, "created"),
               truth_of(account, "text_from_html") ? "on" : "off"});
        }
        print_table(session.out(), std::move(rows));
      });
}

int account_suspend(Session& session, const std::string& name, bool suspended) {
  return change(
      session, name, "suspended", suspended,
      suspended
          ? Sentence{"Account {} suspended: its requests are refused and nothing new is "
                     "started.",
                     "アカウント {} を停止しました。リクエストを拒否し、新たな配信を始めません。"}
          : Sentence{"Account {} resumed.", "アカウント {} の停止を解除しました。"});
}

int account_weight(Session& session, const std::string& name, std::int64_t weight) {
  return change(session, name, "weight", weight,
                {"Account {} now has weight {}.", "アカウント {} の割合を {} にしました。"},
                weight);
}

int account_text_from_html(Session& session, const std::string& name, bool on) {
  return change(
      session, name, "text_from_html", on,
      on ? Sentence{"Account {} now gets a text part made for mail that has HTML only.",
                    "アカウント {} の HTML だけのメールに、今後はテキストパートを作って"
                    "付けます。"}
         : Sentence{"Account {} now has its mail with HTML only sent without a text part.",
                    "アカウント {} の HTML だけのメールを、今後はテキストパートなしで"
                    "送ります。"});
}

}  // namespace todoku::cli
