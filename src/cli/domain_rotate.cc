// SPDX-License-Identifier: Apache-2.0
// todoku domain rotate: the same words again and again, each time as far as it goes.
#include <algorithm>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "cli/commands.h"
#include "cli/findings.h"
#include "cli/printable_stream.h"
#include "cli/published_keys.h"
#include "operate/calls/calls.h"

namespace todoku::cli {
namespace {

namespace calls = operate::calls;
using operate::Given;

Given of_domain(const operate::Call& call, const std::string& account, const std::string& domain) {
  return Given(call).with("account", account).with("domain", domain);
}

boost::json::array copy_of(const boost::json::array& list) {
  // Of memory of its own: the answer's goes with it.
  return boost::json::array(list, boost::json::storage_ptr());
}

struct Rotation {
  // publish: new keys were made; signing: they begin; retired: old ones have gone; overlap: old
  // ones are still needed; waiting: new ones are not published.
  std::string_view state;
  boost::json::array keys;
  boost::json::array removed;
  boost::json::array kept;
};

// Whether keys that wait may begin.
std::vector<doctor::Finding> judge_waiting(const DomainRotate& wish,
                                           const std::vector<net::Endpoint>& servers,
                                           CheckResolver& names, const boost::json::array& keys) {
  KeysToJudge given{.domain = text_of(keys.front(), "domain"),
                    .servers = servers,
                    .port = wish.probe.port,
                    .anyway = wish.anyway};
  for (const auto& key : keys) {
    given.keys.push_back(
        {.selector = text_of(key, "selector"), .record = text_of(key, "dns_record")});
  }
  return judge_keys(given, names);
}

void print_rotation(Session& session, const Rotation& rotation, const std::string& domain) {
  if (rotation.state == "publish") {
    session.say({"Publish these records, and leave the old ones; then run this again:",
                 "次のレコードを追加し（古いものは残したまま）、もう一度このコマンドを実行してくだ"
                 "さい:"});
    for (const auto& key : rotation.keys) session.out() << text_of(key, "zone_entry");
  } else if (rotation.state == "signing") {
    session.say({"The new keys sign for {} from now on. Leave the records of the old ones: mail on "
                 "its way is checked with them.",
                 "{} の署名を新しい鍵に切り替えました。配送中のメールの検証に使うため、古いレコード"
                 "は残してください。"},
                domain);
  }
  for (const auto& key : rotation.kept) {
    session.say({"still needed: {}", "まだ必要: {}"}, text_of(key, "dns_name"));
  }
  for (const auto& key : rotation.removed) {
    session.say({"no longer needed, its record may go: {}", "不要になったため削除可: {}"},
                text_of(key, "dns_name"));
  }
}

boost::json::object to_json(const Rotation& rotation) {
  return {{"state", rotation.state},
          {"keys", rotation.keys},
          {"removed", rotation.removed},
          {"kept", rotation.kept}};
}

void print(Session& session, const Rotation& rotation, const std::string& domain) {
  if (!session.common().json) {
    print_rotation(session, rotation, domain);
    return;
  }
  session.out() << printable_json(boost::json::serialize(to_json(rotation))) << '\n';
}

// What the new keys wait for. Returns the exit status.
int print_waiting(Session& session, Rotation rotation,
                  const std::vector<doctor::Finding>& findings) {
  const int status = std::max(doctor::exit_status(findings), 1);
  if (session.common().json) {
    rotation.state = "waiting";
    boost::json::object answer = to_json(rotation);
    for (auto& [name, value] : findings_json(findings, session.language())) answer[name] = value;
    session.out() << printable_json(boost::json::serialize(answer)) << '\n';
    return status;
  }
  (void)show_findings(session, findings);
  session.say(
      {"The new keys do not sign before all servers have them and resolvers get them; "
       "the old ones go on.",
       "新しい鍵は、すべてのサーバーで公開され、リゾルバーで引けるまで署名に使いません。"
       "それまで古い鍵で署名します。"});
  return status;
}

// Of keys that change by themselves: before their time. Others of the domain go as ever.
int rotate_slots(Session& session, const std::string& account, const std::string& domain) {
  Rotation rotation;
  rotation.state = "asked";
  const int retired = session.ask_for(of_domain(calls::kRetireKeys, account, domain),
                                      [&](const boost::json::value& answer) {
                                        rotation.removed = copy_of(list_of(answer, "removed"));
                                        rotation.kept = copy_of(list_of(answer, "kept"));
                                      });
  if (retired != 0) return 1;
  const auto told = [&](const boost::json::value& slots) {
    if (!session.common().json) {
      session.say({"The keys change by themselves, as soon as they can:",
                   "鍵は、できるだけ早く自動で入れ替わります:"});
      print_slots(session, slots);
      print_rotation(session, rotation, domain);
      return;
    }
    const boost::json::object answer{{"state", rotation.state},
                                     {"keys", rotation.keys},
                                     {"removed", rotation.removed},
                                     {"kept", rotation.kept},
                                     {"slots", slots}};
    session.out() << printable_json(boost::json::serialize(answer)) << '\n';
  };
  return session.ask_for(of_domain(calls::kRotateKeySlots, account, domain), told);
}

}  // namespace

int domain_rotate(Session& session, const DomainRotate& wish) {
  const auto servers = servers_of(wish.probe);
  if (!servers) return unreadable(session, servers.error().detail);
  const auto account = account_for(session, wish.account);
  if (!account) return 1;
  const auto slots = listed_slots(session, *account);
  if (!slots) return 1;
  const boost::json::value* const by_themselves = slots->of(*account, wish.domain);
  if (by_themselves != nullptr && text_of(*by_themselves, "state") != "ending") {
    return rotate_slots(session, *account, wish.domain);
  }
  Rotation rotation;
  const auto retire = [&] {
    return session.ask_for(of_domain(calls::kRetireKeys, *account, wish.domain),
                           [&](const boost::json::value& retired) {
                             rotation.removed = copy_of(list_of(retired, "removed"));
                             rotation.kept = copy_of(list_of(retired, "kept"));
                           });
  };
  const auto take_keys = [&](const boost::json::value& answer) {
    rotation.keys = copy_of(list_of(answer, "keys"));
  };
  if (session.ask_for(of_domain(calls::kNextKeys, *account, wish.domain), take_keys) != 0) return 1;
  if (rotation.keys.empty()) {
    if (retire() != 0) return 1;
    // One change at a time: the old keys go before the next ones are made.
    if (!rotation.removed.empty() || !rotation.kept.empty()) {
      rotation.state = rotation.kept.empty() ? "retired" : "overlap";
    } else {
      rotation.state = "publish";
      const Given make = of_domain(calls::kMakeNextKeys, *account, wish.domain);
      if (session.ask_for(make, take_keys) != 0) return 1;
    }
    print(session, rotation, wish.domain);
    return 0;
  }
  auto names = session.host().installation_resolver(session.common().config, wish.probe.resolver);
  if (!names) return unreadable(session, names.error().detail);
  const auto findings = judge_waiting(wish, *servers, **names, rotation.keys);
  if (!is_published(findings, wish.anyway)) {
    return print_waiting(session, std::move(rotation), findings);
  }
  const Given begin = of_domain(calls::kBeginNextKeys, *account, wish.domain);
  rotation.state = "signing";
  if (session.ask_for(begin, take_keys) != 0 || retire() != 0) return 1;
  print(session, rotation, wish.domain);
  return 0;
}

}  // namespace todoku::cli
