// SPDX-License-Identifier: Apache-2.0
// todoku stuck [release]
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include "cli/commands.h"
#include "operate/calls/calls.h"

namespace todoku::cli {

using operate::Given;
namespace calls = operate::calls;

int stuck_list(Session& session, const StuckList& options) {
  const bool japanese = session.language() == Language::japanese;
  const auto in_words = [&](std::string_view english, std::string_view its_japanese) {
    return japanese ? its_japanese : english;
  };
  Given given = Given(calls::kListStuck).with("limit", options.limit);
  if (options.utc) given.with("utc_offset_minutes", std::int64_t{0});
  return session.call(given, [&](const boost::json::value& answer) {
    std::ostream& out = session.out();
    const auto& mails = list_of(answer, "mails");
    if (mails.empty()) {
      out << in_words("No mail is set aside.\n", "隔離中のメールはありません。\n");
      return;
    }
    std::vector<std::vector<std::string>> rows = {
        {session.words({"SINCE", "隔離日時"}), session.words({"ACCOUNT", "アカウント"}),
         session.words({"DELIVERY", "配信"}), session.words({"EMAIL", "メール"}),
         session.words({"ADDRESS", "アドレス"})}};
    for (const auto& mail : mails) {
      rows.push_back({time_of(mail, "since"), text_of(mail, "account"),
                      fmt::format("{}", number_of(mail, "delivery_id")),
                      fmt::format("{}", number_of(mail, "email_id")), text_of(mail, "address")});
    }
    print_table(out, std::move(rows));
    if (truth_of(answer, "more")) {
      out << in_words("There are more: see --limit.\n",
                      "このほかにもあります（--limit を参照）。\n");
    }
    fmt::print(out, "\n{}\n{} todoku stuck release {} {}\n{} todoku stuck release --all\n",
               in_words("Processes died with these mails in hand. Each waits until it is released "
                        "or its time is up.",
                        "これらのメールの処理中にプロセスが繰り返し終了しました。解放されるか期限が"
                        "来るまで、送信を待ちます。"),
               in_words("Once the cause is mended:", "原因を取り除いてから:"),
               text_of(mails.front(), "account"), number_of(mails.front(), "email_id"),
               in_words("or all of them:          ", "すべて解放するには:"));
  });
}

int stuck_release(Session& session, const StuckRelease& which) {
  if (which.all) {
    return session.call(Given(calls::kReleaseAllStuck), [&](const boost::json::value& answer) {
      session.say({"Released: {}.", "隔離を解除しました: {} 通。"}, number_of(answer, "released"));
    });
  }
  return session.call(
      Given(calls::kReleaseStuck).with("account", which.account).with("email_id", which.email_id),
      [&](const boost::json::value&) {
        session.say({"Mail {0} of account {1} will be tried again.",
                     "アカウント {1} のメール {0} を再び試します。"},
                    which.email_id, which.account);
      });
}

}  // namespace todoku::cli
