// SPDX-License-Identifier: Apache-2.0
// todoku key add|list|rotate|revoke
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include "cli/commands.h"
#include "cli/issued_key.h"
#include "operate/calls/calls.h"

namespace todoku::cli {

using operate::Given;
namespace calls = operate::calls;

// The names of the three are the same in both languages: scripts read them (try-your-client.md).
void print_issued_key(Session& session, const boost::json::value& key) {
  if (const std::string id = text_of(key, "access_key_id"); !id.empty()) {
    fmt::print(session.out(), "\naccess key id      {}\nsecret access key  {}\n\n", id,
               text_of(key, "secret_access_key"));
    session.say(
        {"The secret is shown only now; clients of Amazon SES sign with it (docs/doors.md).",
         "シークレットを表示するのは今回だけです。Amazon SESのクライアントが署名に使います "
         "(docs/doors.ja.md)。"});
    return;
  }
  fmt::print(session.out(),
             "\n"
             "login id      {}\n"
             "API key       {}\n"
             "bearer token  {}\n"
             "\n",
             text_of(key, "login_id"), text_of(key, "api_key"), text_of(key, "bearer_token"));
  session.say({"The key is shown only now; clients send \"Authorization: Bearer <token>\".",
               "キーを表示するのは今回だけです。クライアントは \"Authorization: Bearer <token>\" を"
               "送ります。"});
}

int key_add(Session& session, const std::string& account, const KeyRequest& request) {
  Given given = Given(calls::kAddKey).with("account", account).with("label", request.label);
  if (request.scopes) given.with("scopes", *request.scopes);
  if (request.networks) given.with("networks", *request.networks);
  if (request.days) given.with("days", *request.days);
  if (request.sandbox) given.with("sandbox", true);
  return session.call(given, [&](const boost::json::value& key) {
    session.say({"Key {0} of account {1} added.", "アカウント {1} のキー {0} を追加しました。"},
                number_of(key, "id"), text_of(key, "login_id"));
    print_issued_key(session, key);
  });
}

int key_rotate(Session& session, const std::string& account, std::int64_t id,
               std::optional<std::int64_t> overlap_hours) {
  Given given = Given(calls::kRotateKey).with("account", account).with("id", id);
  if (overlap_hours) given.with("overlap_hours", *overlap_hours);
  return session.call(given, [&](const boost::json::value& answer) {
    const auto& key = answer.at("key");
    const std::string end = time_of(answer, "old_expires");
    if (end.empty()) {
      session.say({"Key {0} of account {1} takes the place of key {2}, which is revoked.",
                   "アカウント {1} のキー {2} を無効にし、新しいキー {0} を追加しました。"},
                  number_of(key, "id"), account, id);
    } else {
      session.say({"Key {0} of account {1} takes the place of key {2}, which works until {3}.",
                   "アカウント {1} に、キー {2} に代わる新しいキー {0} を追加しました。キー {2} は "
                   "{3} まで使えます。"},
                  number_of(key, "id"), account, id, end);
    }
    print_issued_key(session, key);
  });
}

namespace {

std::string key_state(Session& session, const boost::json::value& key) {
  const std::string revoked = time_of(key, "revoked");
  if (!revoked.empty()) return session.words({"revoked {}", "{} に無効化"}, revoked);
  const std::string expires = time_of(key, "expires");
  if (expires.empty()) return session.words({"active", "有効"});
  return truth_of(key, "expired") ? session.words({"expired {}", "{} に期限切れ"}, expires)
                                  : session.words({"active until {}", "{} まで有効"}, expires);
}

std::string key_networks(Session& session, const boost::json::value& key) {
  std::string networks;
  for (const auto& network : list_of(key, "networks")) {
    if (!networks.empty()) networks += ' ';
    networks += network.as_string();
  }
  return networks.empty() ? session.words({"anywhere", "制限なし"}) : networks;
}

}  // namespace

int key_list(Session& session, const std::string& account) {
  return session.call(
      Given(calls::kListKeys).with("account", account), [&](const boost::json::value& answer) {
        std::vector<std::vector<std::string>> rows = {
            {"ID", session.words({"LABEL", "用途"}), session.words({"SCOPES", "スコープ"}),
             session.words({"FROM", "使える場所"}), session.words({"STATE", "状態"}),
             session.words({"ADDED", "追加日時"}), session.words({"LAST USED", "最終使用"})}};
        for (const auto& key : list_of(answer, "keys")) {
          const std::string used = time_of(key, "last_used");
          rows.push_back({fmt::format("{}", number_of(key, "id")), text_of(key, "label"),
                          text_of(key, "scopes"), key_networks(session, key),
                          key_state(session, key), time_of(key, "created"),
                          used.empty() ? session.words({"not yet", "未使用"}) : used});
        }
        print_table(session.out(), std::move(rows));
      });
}

int key_revoke(Session& session, const std::string& account, std::int64_t id) {
  return session.call(Given(calls::kRevokeKey).with("account", account).with("id", id),
                      [&](const boost::json::value& left) {
                        session.say({"Key {0} of account {1} revoked: within 2 s it opens nothing.",
                                     "アカウント {1} のキー {0} を無効にしました。2 "
                                     "秒以内に使えなくなります。"},
                                    id, account);
                        if (number_of(left, "keys") > 0) return;
                        session.say({"It was the last one: nobody can hand in mail for account {0} "
                                     "any more, and what was accepted goes on. `todoku key add "
                                     "{0}` makes another; `todoku account suspend {0}` stops "
                                     "what goes on.",
                                     "これが最後のキーでした。アカウント {0} "
                                     "では、もう誰もメールを預けられません。受け付け済みのメール"
                                     "の送信は続きます。`todoku key add {0}` "
                                     "で新しいキーを作れます。`todoku account suspend {0}` "
                                     "で送信を止められます。"},
                                    account);
                      });
}

}  // namespace todoku::cli
