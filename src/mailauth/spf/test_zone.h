// SPDX-License-Identifier: Apache-2.0
// A DNS in memory, and check_host() played on it until nothing is unknown.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "mailauth/spf/address.h"
#include "mailauth/spf/check_host.h"

namespace todoku::mailauth::spf {

inline std::string ip(std::string_view text) {
  const auto v4 = octets_of_ip4(text);
  return v4 ? *v4 : octets_of_ip6(text).value();
}

class TestZone {
 public:
  // Names that have some record exist; all others do not.
  TestZone& txt(const std::string& name, std::string text) {
    return add(FactType::txt, name, std::move(text));
  }
  TestZone& a(const std::string& name, std::string_view address) {
    const std::string octets = ip(address);
    return add(octets.size() == 4 ? FactType::a : FactType::aaaa, name, octets);
  }
  TestZone& mx(const std::string& name, std::string host) {
    return add(FactType::mx, name, std::move(host));
  }
  TestZone& ptr(std::string_view address, std::string host) {
    return add(FactType::ptr, reverse_name(ip(address)), std::move(host));
  }
  TestZone& fails(FactType type, const std::string& name) {
    facts_[{type, name}] = {.status = DnsFact::Status::failed, .values = {}, .reason = "SERVFAIL"};
    return *this;
  }

  DnsFact answer(const DnsQuestion& question) {
    asked.push_back(fmt::format("{} {}", to_string(question.type), question.name));
    const auto known = facts_.find(question);
    if (known != facts_.end()) return known->second;
    for (const auto type :
         {FactType::a, FactType::aaaa, FactType::mx, FactType::txt, FactType::ptr}) {
      if (facts_.contains({type, question.name})) {
        return {.status = DnsFact::Status::empty, .values = {}, .reason = ""};
      }
    }
    return {.status = DnsFact::Status::absent, .values = {}, .reason = ""};
  }

  Verdict check_host(const Query& query, const Options& options = {}) {
    DnsFacts facts;
    for (int plays = 0; plays < 300; ++plays) {
      Verdict verdict = spf::check_host(query, facts, options);
      const auto wanted = facts.take_wanted();
      if (wanted.empty()) return verdict;
      for (const DnsQuestion& question : wanted) facts.learn(question, answer(question));
    }
    check(false, "an evaluation ends");
    return {};
  }

  std::vector<std::string> asked;

 private:
  TestZone& add(FactType type, const std::string& name, std::string value) {
    DnsFact& fact = facts_[{type, name}];
    fact.status = DnsFact::Status::found;
    fact.values.push_back(std::move(value));
    return *this;
  }

  std::map<DnsQuestion, DnsFact> facts_;
};

inline Query query(std::string_view address, std::string mail_from = "taro@example.jp",
                   std::string helo = "mail.example.jp") {
  return {.ip = ip(address),
          .mail_from = std::move(mail_from),
          .helo = std::move(helo),
          .receiver = "mx.example.com",
          .now = from_epoch_ms(1'767'225'600'000)};
}

// The word for one record of example.jp.
inline std::string_view word(TestZone zone, std::string record, const Query& asked) {
  return to_string(zone.txt("example.jp", std::move(record)).check_host(asked).result);
}

}  // namespace todoku::mailauth::spf
