// SPDX-License-Identifier: Apache-2.0
// todoku smtp-credential add|list|show|change|rotate|revoke|hold|release|drop|lockouts|unlock
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include "cli/commands.h"
#include "cli/user_files.h"
#include "operate/calls/calls.h"

namespace todoku::cli {
namespace {

using operate::Given;
namespace calls = operate::calls;

Given of_credential(const operate::Call& call, const SmtpCredentialRequest& request) {
  return Given(call).with("account", request.account).with("name", request.name);
}

void put_terms(Given& given, const SmtpCredentialRequest& request) {
  const auto put = [&](std::string_view name, const auto& value) {
    if (value) given.with(name, *value);
  };
  put("traffic", request.traffic);
  put("purpose", request.purpose);
  put("options", request.options);
  put("networks", request.networks);
  put("from_address", request.from_address);
  put("days", request.days);
  put("show_client", request.show_client);
  put("bounces", request.bounces);
  put("messages_per_minute", request.messages_per_minute);
  put("recipients_per_minute", request.recipients_per_minute);
  put("bytes_per_minute", request.bytes_per_minute);
  put("connections_max", request.connections_max);
  put("uid", request.uid);
}

// False: it cannot be read, and that was said.
bool put_password(Session& session, Given& given, const SmtpCredentialRequest& request) {
  if (request.password_file.empty()) return true;
  auto password = read_secret(request.password_file, session);
  if (!password) {
    (void)session.fail(password.error().detail);
    return false;
  }
  given.with("password", SecretText(std::move(*password)));
  return true;
}

// The names are the same in both languages: scripts read them.
void print_issued(Session& session, const boost::json::value& credential) {
  const std::string password = text_of(credential, "password");
  if (password.empty()) return;
  fmt::print(session.out(),
             "\n"
             "user name  {}\n"
             "password   {}\n"
             "\n",
             text_of(credential, "name"), password);
  session.say({"The password is shown only now.", "パスワードを表示するのは今回だけです。"});
}

std::string smtp_state(Session& session, const boost::json::value& credential) {
  const std::string revoked = time_of(credential, "revoked");
  if (!revoked.empty()) return session.words({"revoked {}", "{} に無効化"}, revoked);
  const std::string held = time_of(credential, "held");
  if (!held.empty()) return session.words({"held since {}", "{} から保留中"}, held);
  const std::string expires = time_of(credential, "expires");
  if (expires.empty()) return session.words({"active", "有効"});
  return truth_of(credential, "expired")
             ? session.words({"expired {}", "{} に期限切れ"}, expires)
             : session.words({"active until {}", "{} まで有効"}, expires);
}

std::string last_use(Session& session, const boost::json::value& credential) {
  std::string used = time_of(credential, "last_used");
  return used.empty() ? session.words({"not yet", "未使用"}) : used;
}

std::string joined_of(const boost::json::value& credential, std::string_view name) {
  std::string all;
  for (const auto& each : list_of(credential, name)) {
    if (!all.empty()) all += ' ';
    all += each.as_string();
  }
  return all;
}

}  // namespace

int smtp_credential_add(Session& session, const SmtpCredentialRequest& request) {
  Given given = of_credential(calls::kAddSmtpCredential, request);
  put_terms(given, request);
  if (request.sandbox) given.with("sandbox", true);
  if (!put_password(session, given, request)) return 1;
  return session.call(given, [&](const boost::json::value& credential) {
    session.say({"SMTP credential {} of account {} added.",
                 "アカウント {1} の SMTP 認証情報 {0} を追加しました。"},
                request.name, text_of(credential, "account"));
    print_issued(session, credential);
    if (credential.as_object().if_contains("has_domain") == nullptr) return;
    if (const std::string claimed = text_of(credential, "unproven_domain"); !claimed.empty()) {
      session.say(
          {"\nAccount {0} has proven no domain yet: its mail is taken only while there is "
           "no other account.\n{1} is claimed: publish its TXT record, then: todoku domain "
           "verify {0} {1}",
           "\nアカウント {0} には確認済みのドメインがありません。ほかのアカウントができると、"
           "メールは拒否されます。\n{1} は登録済みです。TXT レコードを公開してから: todoku "
           "domain verify {0} {1}"},
          request.account, claimed);
      return;
    }
    session.say({"\nAccount {0} has proven no domain yet: its mail is taken only while there is no "
                 "other account.\nTo prove one: todoku domain add {0} DOMAIN",
                 "\nアカウント {0} には確認済みのドメインがありません。ほかのアカウントができると、"
                 "メールは拒否されます。\n確認するには: todoku domain add {0} DOMAIN"},
                request.account);
  });
}

int smtp_credential_list(Session& session, const std::string& account) {
  Given given(calls::kListSmtpCredentials);
  if (!account.empty()) given.with("account", account);
  return session.list(std::move(given), "credentials", [&](const boost::json::value& answer) {
    std::vector<std::vector<std::string>> rows = {
        {session.words({"ACCOUNT", "アカウント"}), session.words({"USER NAME", "ユーザー名"}),
         session.words({"TRAFFIC", "種別"}), session.words({"PURPOSE", "目的"}),
         session.words({"OPTIONS", "オプション"}), session.words({"FROM", "使える場所"}),
         session.words({"STATE", "状態"}), session.words({"ADDED", "追加日時"}),
         session.words({"LAST USED", "最終使用"})}};
    for (const auto& each : list_of(answer, "credentials")) {
      const std::string networks = joined_of(each, "networks");
      rows.push_back({text_of(each, "account"), text_of(each, "name"), text_of(each, "traffic"),
                      text_of(each, "purpose"), joined_of(each, "options"),
                      networks.empty() ? session.words({"anywhere", "制限なし"}) : networks,
                      smtp_state(session, each), time_of(each, "created"),
                      last_use(session, each)});
    }
    print_table(session.out(), std::move(rows));
  });
}

int smtp_credential_show(Session& session, const SmtpCredentialRequest& request) {
  return session.call(
      of_credential(calls::kShowSmtpCredential, request), [&](const boost::json::value& it) {
        const auto limit = [&](std::string_view name) {
          const std::int64_t number = number_of(it, name);
          return number == 0 ? session.words({"none of its own", "個別の上限なし"})
                             : fmt::format("{}", number);
        };
        const auto yes = [&](std::string_view name) {
          return truth_of(it, name) ? session.words({"yes", "はい"})
                                    : session.words({"no", "いいえ"});
        };
        const auto or_none = [&](std::string text) {
          return text.empty() ? session.words({"none", "なし"}) : text;
        };
        const std::string networks = joined_of(it, "networks");
        const std::string uid =
            it.as_object().contains("uid") ? fmt::format("{}", number_of(it, "uid")) : "";
        print_table(
            session.out(),
            {{session.words({"account", "アカウント"}), text_of(it, "account")},
             {session.words({"user name", "ユーザー名"}), text_of(it, "name")},
             {session.words({"state", "状態"}), smtp_state(session, it)},
             {session.words({"held because", "保留の理由"}), or_none(text_of(it, "held_because"))},
             {session.words({"added", "追加日時"}), time_of(it, "created")},
             {session.words({"last used", "最終使用"}), last_use(session, it)},
             {session.words({"old password until", "古いパスワードの期限"}),
              or_none(time_of(it, "previous_until"))},
             {session.words({"used from", "使える場所"}),
              networks.empty() ? session.words({"anywhere", "制限なし"}) : networks},
             {session.words({"traffic", "種別"}), text_of(it, "traffic")},
             {session.words({"purpose", "目的"}), text_of(it, "purpose")},
             {session.words({"options by header", "ヘッダーでの指定"}),
              or_none(joined_of(it, "options"))},
             {session.words({"From where it is missing", "From がないときの差出人"}),
              or_none(text_of(it, "from_address"))},
             {session.words({"client in Received", "Received にクライアントを記載"}),
              yes("show_client")},
             {session.words({"failures are returned", "不達を差出人に通知"}), yes("bounces")},
             {session.words({"messages a minute", "1 分あたりのメッセージ数"}),
              limit("messages_per_minute")},
             {session.words({"recipients a minute", "1 分あたりの宛先数"}),
              limit("recipients_per_minute")},
             {session.words({"bytes a minute", "1 分あたりのバイト数"}), limit("bytes_per_minute")},
             {session.words({"connections", "同時接続数"}), limit("connections_max")},
             {session.words({"user of this machine", "このマシンのユーザー"}), or_none(uid)}});
      });
}

int smtp_credential_change(Session& session, const SmtpCredentialRequest& request) {
  Given given = of_credential(calls::kChangeSmtpCredential, request);
  put_terms(given, request);
  return session.call(given, [&](const boost::json::value&) {
    session.say({"SMTP credential {} changed.", "SMTP 認証情報 {} を変更しました。"}, request.name);
  });
}

int smtp_credential_rotate(Session& session, const SmtpCredentialRequest& request) {
  Given given = of_credential(calls::kRotateSmtpCredential, request);
  if (request.overlap_hours) given.with("overlap_hours", *request.overlap_hours);
  if (!put_password(session, given, request)) return 1;
  return session.call(given, [&](const boost::json::value& credential) {
    const std::string until = time_of(credential, "previous_until");
    if (until.empty()) {
      session.say({"SMTP credential {} has a new password; the old one is refused from now on.",
                   "SMTP 認証情報 {} のパスワードを替えました。古いものはもう使えません。"},
                  request.name);
    } else {
      session.say({"SMTP credential {} has a new password; the old one works until {}.",
                   "SMTP 認証情報 {} のパスワードを替えました。古いものは {} まで使えます。"},
                  request.name, until);
    }
    print_issued(session, credential);
  });
}

int smtp_credential_revoke(Session& session, const SmtpCredentialRequest& request) {
  return session.call(
      of_credential(calls::kRevokeSmtpCredential, request), [&](const boost::json::value&) {
        session.say({"SMTP credential {} revoked: within 2 s it opens nothing.",
                     "SMTP 認証情報 {} を無効にしました。2 秒以内に使えなくなります。"},
                    request.name);
      });
}

int smtp_credential_hold(Session& session, const SmtpCredentialRequest& request) {
  Given given = of_credential(calls::kHoldSmtpCredential, request);
  if (!request.because.empty()) given.with("because", request.because);
  return session.call(given, [&](const boost::json::value& credential) {
    session.say({"SMTP credential {} is held since {}: {}.",
                 "SMTP 認証情報 {} を {} から保留しています。理由: {}"},
                request.name, time_of(credential, "held"), text_of(credential, "held_because"));
  });
}

namespace {

// What waits of it, or is dropped, in all its pieces.
struct Waiting {
  std::int64_t deliveries = 0;
  std::int64_t recipients = 0;
  boost::json::array first;
};

constexpr std::size_t kFirstShown = 5;

// Piece by piece. The exit status: 0, or what went wrong was said.
int go_through(Session& session, const SmtpCredentialRequest& request, bool preview,
               Waiting& waiting) {
  std::int64_t from = 0;
  do {
    Given given = of_credential(calls::kDropSmtpMail, request).with("from", from);
    if (preview) given.with("preview", true);
    if (!request.since.empty()) given.with("since", request.since);
    const int status = session.ask_for(given, [&](const boost::json::value& piece) {
      waiting.deliveries += number_of(piece, "deliveries");
      waiting.recipients += number_of(piece, "recipients");
      for (const auto& each : list_of(piece, "first")) {
        if (waiting.first.size() < kFirstShown) waiting.first.push_back(each);
      }
      from = number_of(piece, "next");
    });
    if (status != 0) return status;
  } while (from != 0);
  return 0;
}

void print_preview(Session& session, const Waiting& waiting) {
  session.say({"{} recipients of {} deliveries would be cancelled.",
               "{1} 件の配信の宛先 {0} 件が取り消しの対象です。"},
              waiting.recipients, waiting.deliveries);
  if (waiting.first.empty()) return;
  std::vector<std::vector<std::string>> rows = {
      {session.words({"ACCEPTED", "受け取り日時"}), session.words({"DELIVERY", "配信"}),
       session.words({"RECIPIENTS", "宛先"}), session.words({"SUBJECT", "件名"})}};
  for (const auto& mail : waiting.first) {
    rows.push_back({time_of(mail, "accepted"), fmt::format("{}", number_of(mail, "delivery_id")),
                    fmt::format("{}", number_of(mail, "recipients")), text_of(mail, "subject")});
  }
  print_table(session.out(), std::move(rows));
  const auto more = waiting.deliveries - static_cast<std::int64_t>(waiting.first.size());
  if (more > 0) session.say({"and {} later ones", "ほか、より新しい {} 件"}, more);
}

}  // namespace

int smtp_credential_release(Session& session, const SmtpCredentialRequest& request) {
  bool is_held = false;
  Waiting waiting;
  if (!session.common().json) {
    int status = session.ask_for(
        of_credential(calls::kShowSmtpCredential, request),
        [&](const boost::json::value& it) { is_held = !time_of(it, "held").empty(); });
    if (status == 0 && is_held) status = go_through(session, request, true, waiting);
    if (status != 0) return status;
  }
  return session.call(
      of_credential(calls::kReleaseSmtpCredential, request), [&](const boost::json::value&) {
        if (!is_held) {
          session.say({"SMTP credential {} was not held: nothing has changed.",
                       "SMTP 認証情報 {} は保留されていませんでした。変更はありません。"},
                      request.name);
        } else if (waiting.deliveries == 0) {
          session.say({"SMTP credential {} is not held any more; nothing of it was waiting.",
                       "SMTP 認証情報 {} の保留をやめました。待っていたメールはありません。"},
                      request.name);
        } else {
          session.say({"SMTP credential {} is not held any more: {} recipients of {} deliveries go "
                       "on within a minute.",
                       "SMTP 認証情報 {0} の保留をやめました。{2} 件の配信の宛先 {1} 件へ、1 "
                       "分以内に送信を始めます。"},
                      request.name, waiting.recipients, waiting.deliveries);
        }
      });
}

int smtp_credential_drop(Session& session, const SmtpCredentialRequest& request) {
  Waiting waiting;
  if (const int status = go_through(session, request, request.preview, waiting); status != 0) {
    return status;
  }
  if (session.common().json) {
    fmt::print(session.out(), "{{\"deliveries\":{},\"recipients\":{}{}}}\n", waiting.deliveries,
               waiting.recipients,
               request.preview ? ",\"first\":" + boost::json::serialize(waiting.first) : "");
  } else if (request.preview) {
    print_preview(session, waiting);
  } else {
    session.say({"{} recipients of {} deliveries were cancelled.",
                 "{1} 件の配信の宛先 {0} 件を取り消しました。"},
                waiting.recipients, waiting.deliveries);
  }
  return 0;
}

int smtp_credential_lockouts(Session& session) {
  return session.call(Given(calls::kListLockouts), [&](const boost::json::value& answer) {
    const auto& lockouts = list_of(answer, "lockouts");
    if (lockouts.empty()) {
      session.say({"Nobody is locked out at this process.",
                   "このプロセスでログインを止められている相手はありません。"});
      return;
    }
    std::vector<std::vector<std::string>> rows = {
        {session.words({"NETWORK", "ネットワーク"}), session.words({"USER NAME", "ユーザー名"}),
         session.words({"FIRST WRONG", "最初の誤り"}), session.words({"UNTIL", "期限"}),
         session.words({"WRONG PASSWORDS", "誤りの回数"})}};
    for (const auto& each : lockouts) {
      const std::string name = text_of(each, "name");
      rows.push_back({text_of(each, "network"),
                      name.empty() ? session.words({"(everybody)", "（すべて）"}) : name,
                      time_of(each, "since"), time_of(each, "until"),
                      fmt::format("{}", number_of(each, "failures"))});
    }
    print_table(session.out(), std::move(rows));
  });
}

int smtp_credential_unlock(Session& session, const std::string& which) {
  return session.call(
      Given(calls::kUnlock).with("which", which), [&](const boost::json::value& answer) {
        session.say(
            {"Lock-outs of {} that were ended: {}.", "{} のログイン停止を {} 件解除しました。"},
            which, number_of(answer, "unlocked"));
      });
}

}  // namespace todoku::cli
