// SPDX-License-Identifier: Apache-2.0
// todoku domain add|list|verify|remove|consent
#include <utility>

#include <boost/json/array.hpp>

#include "cli/commands.h"
#include "operate/calls/calls.h"

namespace todoku::cli {
namespace {

using operate::Given;
namespace calls = operate::calls;

Given named(const operate::Call& call, const DomainNames& which) {
  return Given(call).with("account", which.account).with("domain", which.domain);
}

std::string domain_state(Session& session, const boost::json::value& domain) {
  const std::string state = text_of(domain, "state");
  if (truth_of(domain, "vouched")) return session.words({"vouched for", "運用者が保証"});
  const std::string failing = time_of(domain, "failing");
  if (state == "proven" && !failing.empty()) {
    return session.words({"proven, record missing since {}", "確認済み（{} からレコードなし）"},
                         failing);
  }
  if (state == "proven") return session.words({"proven", "確認済み"});
  if (state == "lapsed") return session.words({"lapsed", "失効"});
  return session.words({"unproven", "未確認"});
}

void print_proof(Session& session, const boost::json::value& domain) {
  session.say(
      {"Publish this TXT record; it is looked for by itself, and by `todoku domain verify`:\n"
       "\n"
       "name   {}\n"
       "value  {}\n"
       "\n"
       "As a zone file entry:\n",
       "次の TXT レコードを公開してください。自動で確認します（`todoku domain verify` "
       "ですぐに確認できます）:\n"
       "\n"
       "名前   {}\n"
       "値     {}\n"
       "\n"
       "ゾーンファイルに書く場合:\n"},
      text_of(domain, "dns_name"), text_of(domain, "dns_record"));
  session.out() << text_of(domain, "zone_entry");
}

}  // namespace

int domain_add(Session& session, const DomainNames& which, bool proven) {
  Given given = named(calls::kAddDomain, which);
  if (proven) given.with("proven", true);
  return session.call(given, [&](const boost::json::value& domain) {
    if (truth_of(domain, "vouched")) {
      session.say({"Account {0} may send from {1} and the domains below it: you stand for it.",
                   "アカウント {0} は、{1} とそのサブドメインから送信できます（運用者が保証）。"},
                  which.account, text_of(domain, "domain"));
      return;
    }
    session.say({"Account {0} claims {1}, unproven.",
                 "アカウント {0} のドメイン {1} を登録しました（未確認）。"},
                which.account, text_of(domain, "domain"));
    print_proof(session, domain);
  });
}

int domain_list(Session& session, const std::string& account) {
  Given given(calls::kListDomains);
  if (!account.empty()) given.with("account", account);
  return session.list(std::move(given), "domains", [&](const boost::json::value& answer) {
    std::vector<std::vector<std::string>> rows = {
        {session.words({"ACCOUNT", "アカウント"}), session.words({"DOMAIN", "ドメイン"}),
         session.words({"STATE", "状態"}), session.words({"SHARED WITH", "共有先"}),
         session.words({"ADDED", "登録日時"})}};
    for (const auto& domain : list_of(answer, "domains")) {
      std::string shared;
      for (const auto& other : list_of(domain, "consents")) {
        if (!shared.empty()) shared += ' ';
        shared += other.as_string();
      }
      rows.push_back({text_of(domain, "account"), text_of(domain, "domain"),
                      domain_state(session, domain), shared, time_of(domain, "created")});
    }
    print_table(session.out(), std::move(rows));
  });
}

int domain_verify(Session& session, const DomainNames& which) {
  const auto account = account_for(session, which.account);
  if (!account) return 1;
  const DomainNames whose{.account = *account, .domain = which.domain};
  bool proven = false;
  const int status =
      session.call(named(calls::kVerifyDomain, whose), [&](const boost::json::value& domain) {
        proven = text_of(domain, "state") == "proven";
        session.say({"{}: {}", "{}: {}"}, text_of(domain, "domain"), domain_state(session, domain));
        const std::string trouble = text_of(domain, "trouble");
        const std::string other = text_of(domain, "needs_consent");
        if (!trouble.empty()) {
          session.say({"The DNS gave no answer: {}", "DNS から応答が得られませんでした: {}"},
                      in_language_of(session, trouble));
        } else if (!other.empty()) {
          session.say({"The record is there, but another account has {}: it must consent (`todoku "
                       "domain consent`).",
                       "レコードはありますが、{} は別のアカウントのドメインです。そのアカウントの"
                       "同意が必要です（`todoku domain consent`）。"},
                      other);
        } else if (!truth_of(domain, "record_found") && !truth_of(domain, "vouched")) {
          const std::string instead = text_of(domain, "found_instead");
          if (instead.empty()) {
            session.say({"The record is not there.", "レコードが見つかりません。"});
          } else {
            session.say({"There is a record, but with another value: {}",
                         "レコードはありますが、値が異なります: {}"},
                        instead);
          }
          print_proof(session, domain);
        }
      });
  return status != 0 || proven || session.common().json ? status : 1;
}

int domain_remove(Session& session, const DomainNames& which) {
  return session.call(named(calls::kRemoveDomain, which), [&](const boost::json::value&) {
    session.say({"Account {0} may no longer send from {1}. Its DKIM keys are still there (`todoku "
                 "dkim list`); those that change by themselves go once its mail is over (`todoku "
                 "domain keys`).",
                 "アカウント {0} は {1} から送信できなくなりました。DKIM 鍵は残っています（`todoku "
                 "dkim list`）。自動で入れ替わる鍵は、配送中のメールがなくなると削除されます"
                 "（`todoku domain keys`）。"},
                which.account, which.domain);
  });
}

int domain_consent(Session& session, const DomainNames& which, const std::string& to,
                   bool withdrawn) {
  Given given = named(calls::kConsent, which).with("to", to);
  if (withdrawn) given.with("withdrawn", true);
  return session.call(given, [&](const boost::json::value&) {
    if (withdrawn) {
      session.say({"Account {0} no longer shares {1} with {2}: what rested on that ends when it is "
                   "looked at, within a minute.",
                   "アカウント {0} の {1} について、{2} への同意を取り消しました。同意に基づく"
                   "登録は 1 分以内に失効します。"},
                  which.account, which.domain, to);
    } else {
      session.say({"Account {2} may have {1}, and domains below it, too, once it has proven them.",
                   "アカウント {2} は、所有を確認すれば {1} とそのサブドメインを使えます。"},
                  which.account, which.domain, to);
    }
  });
}

}  // namespace todoku::cli
