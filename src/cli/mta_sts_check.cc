// SPDX-License-Identifier: Apache-2.0
// todoku mta-sts check
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/printable.h"
#include "cli/commands.h"
#include "cli/mail_checks.h"
#include "cli/printable_stream.h"

namespace todoku::cli {
namespace {

using Verdict = MtaStsFinding::Verdict;

std::string_view word_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::off:
      return "off";
    case Verdict::none:
      return "none";
    case Verdict::testing:
      return "testing";
    case Verdict::enforced:
      return "enforced";
    case Verdict::no_host_named:
      return "no_host_named";
  }
  return "";
}

Sentence meaning_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::off:
      return {"the configuration does not go by MTA-STS here: mail goes as by the site's rule",
              "設定で MTA-STS に従わないことになっています。サイトの設定どおりに送ります"};
    case Verdict::none:
      return {"no policy to go by: mail goes as by the site's rule",
              "従うポリシーがありません。サイトの設定どおりに送ります"};
    case Verdict::testing:
      return {"a policy on trial: mail goes as by the site's rule",
              "試行中のポリシーです。サイトの設定どおりに送ります"};
    case Verdict::enforced:
      return {"mail goes over verified TLS to the hosts that the policy names, or waits",
              "ポリシーにあるホストへ検証済みの TLS で送ります。できなければ待ちます"};
    case Verdict::no_host_named:
      return {"mail waits: the policy names none of the domain's mail servers",
              "メールは待ちます。ポリシーにこのドメインのメールサーバーが 1 つもありません"};
  }
  return {};
}

boost::json::object json_of(const MtaStsFinding& found) {
  boost::json::object json{{"domain", found.domain}, {"verdict", word_of(found.verdict)},
                           {"record", found.record}, {"id", nullptr},
                           {"policy", nullptr},      {"failure", nullptr}};
  if (!found.id.empty()) json["id"] = found.id;
  if (!found.record_reason.empty()) json["record_reason"] = found.record_reason;
  if (found.policy) {
    json["policy"] = {{"mode", found.policy->mode},
                      {"mx", boost::json::array(found.policy->mx.begin(), found.policy->mx.end())},
                      {"max_age", found.policy->max_age_seconds}};
  }
  if (!found.result_type.empty()) {
    json["failure"] = {{"result_type", found.result_type}, {"reason", found.reason}};
  }
  boost::json::array hosts;
  for (const MtaStsFinding::Host& host : found.hosts) {
    hosts.push_back({{"name", host.name}, {"named", host.named}});
  }
  json["hosts"] = std::move(hosts);
  if (!found.hosts_reason.empty()) json["hosts_reason"] = found.hosts_reason;
  return json;
}

void show_policy(Session& session, const MtaStsFinding::Policy& policy) {
  session.say({"policy          {}, for {} seconds", "ポリシー        {}、有効期間 {} 秒"},
              policy.mode, policy.max_age_seconds);
  for (const std::string& pattern : policy.mx) {
    session.say({"  names         {}", "  対象          {}"}, pattern);
  }
}

void show_hosts(Session& session, const MtaStsFinding& found) {
  if (!found.hosts_reason.empty()) {
    session.say({"mail servers    not known: {}", "メールサーバー  不明: {}"}, found.hosts_reason);
  }
  for (const MtaStsFinding::Host& host : found.hosts) {
    if (!found.policy) {
      session.say({"mail server     {}", "メールサーバー  {}"}, host.name);
    } else if (host.named) {
      session.say(
          {"mail server     {}, named by the policy", "メールサーバー  {}（ポリシーにある）"},
          host.name);
    } else {
      session.say(
          {"mail server     {}, NOT named by the policy", "メールサーバー  {}（ポリシーにない）"},
          host.name);
    }
  }
}

void show(Session& session, const MtaStsFinding& found) {
  session.say({"domain          {}", "ドメイン        {}"}, found.domain);
  if (found.record == "found") {
    session.say({"_mta-sts        id {}", "_mta-sts        id {}"}, found.id);
  } else if (found.record == "failed") {
    session.say({"_mta-sts        not known: {}", "_mta-sts        不明: {}"}, found.record_reason);
  } else {
    session.say({"_mta-sts        {}", "_mta-sts        {}"}, found.record);
  }
  if (found.policy) show_policy(session, *found.policy);
  if (!found.result_type.empty()) {
    session.say({"policy          none: {} ({})", "ポリシー        なし: {}（{}）"}, found.reason,
                found.result_type);
  }
  show_hosts(session, found);
  session.say(meaning_of(found.verdict));
}

// Whether its postmaster has something to mend.
bool is_at_fault(const MtaStsFinding& found) {
  return found.record == "several" || found.record == "broken" || found.record == "failed" ||
         !found.result_type.empty() || found.verdict == Verdict::no_host_named;
}

}  // namespace

int mta_sts_check(Session& session, const MtaStsWish& wish) {
  const auto found = session.host().examine_mta_sts(session.common().config, wish);
  if (!found) return unreadable(session, found.error().detail);
  if (session.common().json) {
    session.out() << printable_json(boost::json::serialize(json_of(*found))) << '\n';
  } else {
    show(session, *found);
  }
  return is_at_fault(*found) ? 1 : 0;
}

}  // namespace todoku::cli
