// SPDX-License-Identifier: Apache-2.0
// For tests: a zone in which all is right, its servers, and what a resolver finds elsewhere.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/domain_check.h"
#include "mailauth/dkim/dns_record.h"
#include "mailauth/dkim/key.h"
#include "mailauth/spf/address.h"

namespace todoku::doctor {

using mailauth::DnsFact;
using mailauth::DnsFacts;
using mailauth::DnsQuestion;
using mailauth::FactType;
using mailauth::ServerAnswer;

inline const std::string& key_text() {
  static const auto key = mailauth::dkim::SigningKey::generate(mailauth::dkim::KeyAlgorithm::rsa);
  static const std::string text = mailauth::dkim::key_record_text(*key);
  return text;
}

inline const std::string kKeyName = "r1._domainkey.example.jp";
inline const std::string kPath = "bounce.example.jp";

inline std::string octets_of_v4(std::string_view text) {
  return *mailauth::spf::octets_of_ip4(text);
}

// Records by type and name; "CNAME" is an alias.
struct TestedZone {
  std::map<DnsQuestion, std::vector<std::string>> records;
  std::map<std::string, std::string> aliases;
  std::uint32_t serial = 7;

  std::vector<std::string>& txt(const std::string& name) {
    return records[{.type = FactType::txt, .name = name}];
  }
  std::vector<std::string>& mx(const std::string& name) {
    return records[{.type = FactType::mx, .name = name}];
  }
  std::vector<std::string>& a(const std::string& name) {
    return records[{.type = FactType::a, .name = name}];
  }

  [[nodiscard]] ServerAnswer answer(const DnsQuestion& question) const {
    ServerAnswer answer;
    const auto alias = aliases.find(question.name);
    if (alias != aliases.end()) {
      answer.status = ServerAnswer::Status::alias;
      answer.alias = alias->second;
      return answer;
    }
    const auto found = records.find(question);
    if (found != records.end() && !found->second.empty()) {
      answer.status = ServerAnswer::Status::found;
      answer.values = found->second;
      return answer;
    }
    const bool exists = std::ranges::any_of(records, [&](const auto& each) {
      return !each.second.empty() && is_at_or_below(each.first.name, question.name);
    });
    answer.status = exists ? ServerAnswer::Status::empty : ServerAnswer::Status::absent;
    answer.serial = serial;
    answer.negative_ttl = 300;
    return answer;
  }
};

struct TestedDomain {
  DomainWish wish;
  std::vector<TestedZone> servers;  // of example.jp
  TestedZone beyond;                // what a resolver finds elsewhere
  std::set<DnsQuestion> broken;     // the servers answer SERVFAIL
  std::set<DnsQuestion> denied;     // by the resolver, though it is there
  std::set<std::size_t> silent;
  std::set<std::size_t> lame;
  std::vector<std::string> without_address;
  std::set<DnsQuestion> bogus;  // the resolver answers SERVFAIL
  bool resolver_is_broken = false;

  TestedDomain() {
    wish.domain = "example.jp";
    wish.platform = {.addresses = {"192.0.2.1", "192.0.2.2"},
                     .unknown_sources = {},
                     .spf_include = {},
                     .return_path = kPath,
                     .mail_host = "mail.example.com"};
    wish.keys = {{.selector = "r1", .record = key_text()}};
    wish.report_address = "dmarc@example.com";
    TestedZone zone;
    zone.txt(kKeyName) = {key_text()};
    zone.txt("example.jp") = {"v=spf1 ip4:192.0.2.0/24 ~all", "something else"};
    zone.txt(kPath) = {"v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 -all"};
    zone.mx(kPath) = {"mail.example.com"};
    zone.mx("example.jp") = {"mx.example.jp"};
    zone.a("mx.example.jp") = {octets_of_v4("198.51.100.25")};
    beyond.a("mail.example.com") = {octets_of_v4("192.0.2.1")};
    zone.txt("_dmarc.example.jp") = {"v=DMARC1; p=none; rua=mailto:dmarc@example.com"};
    zone.txt("_mta-sts.example.jp") = {"v=STSv1; id=1"};
    zone.txt("_smtp._tls.example.jp") = {"v=TLSRPTv1; rua=mailto:dmarc@example.com"};
    servers = {zone, zone};
    beyond.txt("example.jp._report._dmarc.example.com") = {"v=DMARC1"};
  }

  // Of all servers.
  void each(const std::function<void(TestedZone&)>& change) {
    std::ranges::for_each(servers, change);
  }

  [[nodiscard]] ZoneView view() const {
    ZoneView view{.zone = "example.jp", .servers = {}, .without_address = without_address};
    for (std::size_t i = 0; i < servers.size(); ++i) {
      ServerView server{.name = "ns" + std::to_string(i + 1) + ".example.net", .answers = {}};
      ask(i, zone_questions(wish, view.zone), server);
      view.servers.push_back(std::move(server));
    }
    const auto further = host_questions(wish, view);
    for (std::size_t i = 0; i < servers.size(); ++i) ask(i, further, view.servers[i]);
    return view;
  }

  void ask(std::size_t i, const std::vector<DnsQuestion>& questions, ServerView& server) const {
    for (const DnsQuestion& question : questions) {
      ServerAnswer answer = servers[i].answer(question);
      if (silent.contains(i) || broken.contains(question)) {
        answer = {};
        answer.status = ServerAnswer::Status::failed;
        answer.reason = "it does not answer";
        answer.reason_ja = "応答がありません";
      } else if (lame.contains(i)) {
        answer = {};
        answer.status = ServerAnswer::Status::lame;
        answer.reason = "it answers REFUSED";
        answer.reason_ja = "REFUSED を返します";
      }
      server.answers[question] = answer;
    }
  }

  [[nodiscard]] DnsFact resolve(const DnsQuestion& question) const {
    if (resolver_is_broken || bogus.contains(question)) {
      return {.status = DnsFact::Status::failed, .values = {}, .reason = "SERVFAIL"};
    }
    if (denied.contains(question)) return {.status = DnsFact::Status::absent};
    const bool is_here = is_at_or_below(question.name, "example.jp") && !servers.empty();
    const ServerAnswer answer =
        is_here ? servers.front().answer(question) : beyond.answer(question);
    switch (answer.status) {
      case ServerAnswer::Status::found:
        return {.status = DnsFact::Status::found, .values = answer.values, .reason = {}};
      case ServerAnswer::Status::empty:
        return {.status = DnsFact::Status::empty};
      default:
        return {.status = DnsFact::Status::absent};
    }
  }

  template <class Judge>
  [[nodiscard]] auto play(Judge judge) const {
    const ZoneView asked = view();
    mailauth::DnsFacts facts;
    while (true) {
      auto judged = judge(wish, asked, facts);
      const auto wanted = facts.take_wanted();
      if (wanted.empty()) return judged;
      for (const mailauth::DnsQuestion& question : wanted) facts.learn(question, resolve(question));
    }
  }
  [[nodiscard]] std::vector<Finding> check() const { return play(check_domain); }
  [[nodiscard]] ZoneNow now() const { return play(zone_now); }
};

inline std::vector<std::string> codes_of(const std::vector<Finding>& findings) {
  std::vector<std::string> codes;
  for (const Finding& finding : findings) codes.emplace_back(finding.code);
  return codes;
}

inline std::vector<std::string> codes_not_passed(const std::vector<Finding>& findings) {
  std::vector<std::string> codes;
  for (const Finding& finding : findings) {
    if (finding.outcome != Outcome::pass) codes.emplace_back(finding.code);
  }
  return codes;
}

}  // namespace todoku::doctor
