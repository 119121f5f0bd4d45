// SPDX-License-Identifier: Apache-2.0
// todoku dkim generate|list|show|remove
#include <utility>

#include <boost/json/array.hpp>

#include "cli/commands.h"
#include "cli/domain_installation.h"
#include "mail/address.h"
#include "operate/calls/calls.h"

namespace todoku::cli {
namespace {

using operate::Given;
namespace calls = operate::calls;

Given named(const operate::Call& call, const DkimGenerate& which) {
  return Given(call)
      .with("account", which.account)
      .with("domain", which.domain)
      .with("selector", which.selector);
}

void print_record(Session& session, const boost::json::value& key) {
  session.say({"account    {}\n"
               "domain     {}\n"
               "selector   {}\n"
               "algorithm  {}\n"
               "\n"
               "Publish this TXT record:\n"
               "\n"
               "name   {}\n"
               "value  {}\n"
               "\n"
               "As a zone file entry:\n",
               "アカウント  {}\n"
               "ドメイン    {}\n"
               "セレクター  {}\n"
               "アルゴリズム {}\n"
               "\n"
               "次の TXT レコードを公開してください:\n"
               "\n"
               "名前   {}\n"
               "値     {}\n"
               "\n"
               "ゾーンファイルに書く場合:\n"},
              text_of(key, "account"), text_of(key, "domain"), text_of(key, "selector"),
              text_of(key, "algorithm"), text_of(key, "dns_name"), text_of(key, "dns_record"));
  session.out() << text_of(key, "zone_entry");
}

}  // namespace

int dkim_add(Session& session, const DkimGenerate& options, SecretText pem) {
  Given given = named(calls::kAddDkim, options)
                    .with("algorithm", std::string(options.ed25519 ? "ed25519" : "rsa"));
  if (!pem.view().empty()) given.with("private_key", std::move(pem));
  return session.call(given, [&](const boost::json::value& key) {
    session.say(
        {"DKIM key added: mail of this account from {} and the domains below it is signed "
         "from now on.\n",
         "DKIM 鍵を追加しました。このアカウントが {} とそのサブドメインから送るメールに、今後"
         "署名します。\n"},
        text_of(key, "domain"));
    print_record(session, key);
  });
}

int dkim_generate(Session& session, const DkimGenerate& options) {
  const auto domain = to_ascii_domain(options.domain);
  const auto slots = listed_slots(session, options.account);
  if (!slots) return 1;
  // What is no domain the engine refuses, in its own words.
  const boost::json::value* const by_themselves =
      domain ? slots->of(options.account, *domain) : nullptr;
  if (by_themselves != nullptr && text_of(*by_themselves, "state") != "ending") {
    return session.fail(session.words(
        {"nothing was made: the keys of {0} change by themselves, and this one would sign in their "
         "place before anybody can look it up. For new keys now: todoku domain rotate {0}; to see "
         "where they stand: todoku domain keys {0}; for keys of records of your own: todoku domain "
         "setup {0} --by txt",
         "鍵は作成していません。{0} の鍵は自動で入れ替わるもので、この鍵を作ると、公開される前に代"
         "わりに署名を始めてしまいます。すぐに入れ替えるには todoku domain rotate {0}、状態を見るに"
         "は todoku domain keys {0}、自分で登録する鍵に切り替えるには todoku domain setup {0} --by "
         "txt を実行してください"},
        *domain));
  }
  return dkim_add(session, options, {});
}

int dkim_list(Session& session, const std::string& account) {
  Given given(calls::kListDkim);
  if (!account.empty()) given.with("account", account);
  return session.list(std::move(given), "keys", [&](const boost::json::value& answer) {
    std::vector<std::vector<std::string>> rows = {
        {session.words({"ACCOUNT", "アカウント"}), session.words({"DOMAIN", "ドメイン"}),
         session.words({"SELECTOR", "セレクター"}), session.words({"ALGORITHM", "アルゴリズム"}),
         session.words({"ADDED", "追加日時"})}};
    for (const auto& key : list_of(answer, "keys")) {
      rows.push_back({text_of(key, "account"), text_of(key, "domain"), text_of(key, "selector"),
                      text_of(key, "algorithm"), time_of(key, "created")});
    }
    print_table(session.out(), std::move(rows));
  });
}

int dkim_show(Session& session, const DkimGenerate& which) {
  return session.call(named(calls::kShowDkim, which),
                      [&](const boost::json::value& key) { print_record(session, key); });
}

int dkim_remove(Session& session, const DkimGenerate& which) {
  return session.call(named(calls::kRemoveDkim, which), [&](const boost::json::value& left) {
    session.say({"DKIM key {0} of {1} removed.", "{1} の DKIM 鍵 {0} を削除しました。"},
                which.selector, which.domain);
    if (number_of(left, "recipients") == 0 && !truth_of(left, "more")) return;
    session.say(
        {"Warning: account {0} has {1} recipients to go. Those whose delivery began with "
         "this key wait for it from now on, and are given up when their time is up. If you "
         "have a copy of the key, put it back:\n"
         "  todoku dkim import --account {0} --domain {2} --selector {3} --pem FILE\n"
         "A key that was made by `todoku dkim generate` is gone for good; another one does "
         "not help them.",
         "注意: アカウント {0} には残り {1} "
         "件の宛先があります。この鍵で始めた配信は、これから鍵を待ち、期限が来れば打ち切りま"
         "す。鍵の控えがあれば、次のコマンドで戻してください。\n"
         "  todoku dkim import --account {0} --domain {2} --selector {3} --pem FILE\n"
         "`todoku dkim generate` "
         "で作った鍵は元に戻せません。別の鍵を作っても、これらの配信は再開しません。"},
        which.account, recipients_of(session, left), which.domain, which.selector);
  });
}

}  // namespace todoku::cli
