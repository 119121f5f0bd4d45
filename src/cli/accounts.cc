// SPDX-License-Identifier: Apache-2.0
// todoku account add|list|suspend|resume|weight|text-from-html|open-tracking|preflight|allow|limit
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

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

// From the second account on each has to prove whom it sends as (docs/operating.md).
void tell_of_refused(Session& session, const boost::json::value& added) {
  if (added.as_object().if_contains("now_refused") == nullptr) return;
  session.say(
      {"Take care: there are several accounts now, and {0} has proven no domain: its mail is "
       "refused until it has. `todoku domain add {0} DOMAIN` says which record to publish; with "
       "--proven you stand for it, and it may send at once.",
       "注意: アカウントが複数になりました。{0} "
       "はドメインの所有を確認していないため、確認するまでそのメールは拒否されます。`todoku domain "
       "add {0} DOMAIN` が公開するレコードを表示します。--proven "
       "を付けると運用者の保証ですぐに送信できます。"},
      text_of(added, "now_refused"));
}

Sentence account_state(const boost::json::value& account) {
  if (truth_of(account, "suspended")) return {"suspended", "停止中"};
  if (truth_of(account, "sandbox")) return {"sandbox", "サンドボックス"};
  return {"active", "有効"};
}

}  // namespace

int account_add(Session& session, const AccountAdd& options) {
  Given given = Given(calls::kAddAccount)
                    .with("name", options.name)
                    .with("weight", options.weight)
                    .with("with_key", !options.without_key);
  if (options.sandbox) given.with("sandbox", true);
  return session.call(given, [&](const boost::json::value& account) {
    session.say({"Account {} added.", "アカウント {} を追加しました。"}, options.name);
    tell_of_refused(session, account);
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
          rows.push_back({text_of(account, "name"), session.words(account_state(account)),
                          fmt::format("{}", number_of(account, "weight")),
                          fmt::format("{}", number_of(account, "keys")),
                          time_of(account, "created"),
                          truth_of(account, "text_from_html") ? session.words({"on", "有効"})
                                                              : session.words({"off", "無効"})});
        }
        print_table(session.out(), std::move(rows));
      });
}

namespace {

// What keys open is remembered for two seconds (access.h).
void tell_of_suspension(Session& session, const std::string& name,
                        const boost::json::value& account) {
  session.say(
      {"Account {} suspended. Within 2 s its requests are refused; reading, cancelling and "
       "deleting still work.",
       "アカウント {} を停止しました。2 秒以内にリクエストを拒否するようになります。参照、取"
       "り消し、削除は引き続きできます。"},
      name);
  const std::int64_t deliveries = number_of(account, "deliveries");
  if (number_of(account, "recipients") == 0 && !truth_of(account, "more")) {
    session.say({"Nothing of it that has been started is still to go. What waits does not start "
                 "before `todoku account resume {}`.",
                 "送信を始めた配信に残りはありません。これからの配信は `todoku account resume {}` "
                 "まで始めません。"},
                name);
    return;
  }
  session.say(
      {"{} recipients of {} deliveries that have been started are still to go. They wait "
       "until `todoku account resume {}`, or are given up when their time is up; so does "
       "what has not been started.",
       "送信を始めた配信 {1} 件に、残り {0} 件の宛先があります。`todoku account resume {2}` "
       "まで待機し、期限が来れば打ち切ります。これからの配信も始めません。"},
      recipients_of(session, account), deliveries, name);
  if (const std::int64_t in_hand = number_of(account, "in_hand"); in_hand > 0) {
    session.say({"Of them {} at most still go out: the engine has them in hand already.",
                 "このうち最大 {} 件は、すでにエンジンが取り出しているため、このあと送信します。"},
                in_hand);
  }
  session.say(
      {"A delivery that has been started cannot be deleted: what is left of it ends with its time, "
       "as long as the account stays suspended. Any other can: DELETE /deliveries/{{delivery_id}} "
       "with a key of the account (docs/api.md).",
       "送信を始めた配信は削除できません。アカウントを停止したままにすれば、残りは期限が来た時点で"
       "打ち切ります。それ以外の配信は、アカウントのキーで DELETE /deliveries/{{delivery_id}} "
       "を呼べば削除できます（docs/api.md）。"});
}

}  // namespace

int account_suspend(Session& session, const std::string& name, bool suspended) {
  if (suspended) {
    return session.call(
        Given(calls::kChangeAccount).with("account", name).with("suspended", true),
        [&](const boost::json::value& account) { tell_of_suspension(session, name, account); });
  }
  return change(session, name, "suspended", false,
                {"Account {} resumed: its deliveries go on within a minute.",
                 "アカウント {} の停止を解除しました。1 分以内に配信を再開します。"});
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

int account_open_tracking(Session& session, const std::string& name, bool on) {
  return change(session, name, "open_tracking", on,
                on ? Sentence{"Opening HTML mail of account {} is told, where api.public_url is "
                              "https.",
                              "アカウント {} の HTML メールの開封を記録します（api.public_url が "
                              "https の場合）。"}
                   : Sentence{"Opening mail of account {} is not told any more: what is handed in "
                              "from now on has no image for it.",
                              "アカウント {} が今後登録するメールには、開封確認用の画像を"
                              "入れません。"});
}

int account_preflight(Session& session, const std::string& name, PreflightMode mode) {
  Sentence done;
  switch (mode) {
    case PreflightMode::off:
      done = {"Bulk of account {} is committed without a preflight.",
              "アカウント {} の一括配信は、事前チェックなしで確定します。"};
      break;
    case PreflightMode::warn:
      done = {"Account {} is told with a commit what keeps its bulk from arriving.",
              "アカウント {} の一括配信に届かない原因があれば、確定時に知らせます。"};
      break;
    case PreflightMode::enforce:
      done = {
          "Bulk of account {} that breaks the bulk-sender rules is refused when it is "
          "committed.",
          "アカウント {} の一括配信が一括送信者のルールに反していれば、確定時に拒否します。"};
      break;
  }
  return change(session, name, "preflight", std::string(to_string(mode)), done);
}

int account_allow(Session& session, const std::string& name, const std::vector<std::string>& list,
                  bool everybody) {
  const auto tell = [&](const boost::json::value& account) {
    const auto& allowed = list_of(account, "allowed_recipients");
    if (allowed.empty()) {
      session.say({"Account {} may send to everybody.", "アカウント {} の宛先に制限はありません。"},
                  name);
      return;
    }
    session.say({"Account {} may send to these alone; others are refused at every door:",
                 "アカウント {} の宛先は次に限られます。ほかの宛先はどの入口でも拒否します:"},
                name);
    for (const auto& entry : allowed) {
      fmt::print(session.out(), "{}\n", std::string_view(entry.as_string()));
    }
  };
  if (list.empty() && !everybody) {
    return session.call(Given(calls::kShowAccount).with("account", name), tell);
  }
  return session.call(Given(calls::kChangeAccount)
                          .with("account", name)
                          .with("allowed_recipients", fmt::format("{}", fmt::join(list, ","))),
                      tell);
}

int account_retention(Session& session, const std::string& name, const AccountRetention& kept) {
  Given given = Given(calls::kKeepFor).with("account", name);
  if (kept.content_days) given.with("content_days", *kept.content_days);
  if (kept.story_days) given.with("story_days", *kept.story_days);
  return session.call(given, [&](const boost::json::value& answer) {
    const auto days = [&](std::string_view which) {
      const std::int64_t number = number_of(answer, which);
      return number == 0
                 ? session.words({"as retention.{} says", "retention.{} の設定どおり"}, which)
                 : session.words({"{} days", "{} 日"}, number);
    };
    session.say({"After a delivery of account {} is over, what was said is kept: {}; the delivery "
                 "with its recipients: {}.",
                 "アカウント {} の配信が終わってから残す期間: 本文は{}、配信と宛先・結果は{}。"},
                name, days("content_days"), days("story_days"));
  });
}

int account_limit(Session& session, const std::string& name, const AccountLimit& limit) {
  Given given = Given(calls::kChangeAccount).with("account", name);
  const auto put = [&](std::string_view what, const std::optional<std::int64_t>& value) {
    if (value) given.with(what, *value);
  };
  put("requests_per_minute", limit.requests_per_minute);
  put("mails_per_minute", limit.mails_per_minute);
  put("mails_per_day", limit.mails_per_day);
  put("mails_per_month", limit.mails_per_month);
  return session.call(given, [&](const boost::json::value& account) {
    session.say(
        {"Limits of account {} (0: none of its own): {} requests and {} mails a minute, {} "
         "mails a day, {} mails a month.",
         "アカウント {} の上限（0 は個別の上限なし）: 1 分あたり {} リクエスト、{} 通。1 日 "
         "{} 通、1 か月 {} 通。"},
        name, number_of(account, "requests_per_minute"), number_of(account, "mails_per_minute"),
        number_of(account, "mails_per_day"), number_of(account, "mails_per_month"));
    if (limit.mails_per_day.value_or(0) <= 0 && limit.mails_per_month.value_or(0) <= 0) return;
    session.say(
        {"What was accepted earlier on this day and in this month counts: if that is as "
         "much, nothing more is accepted from now on. `todoku usage` says how much it is.",
         "今日・今月すでに受け付けた分も数えます。上限に達していれば、この先は受け付けま"
         "せん。使用数は `todoku usage` で確かめられます。"});
  });
}

}  // namespace todoku::cli
