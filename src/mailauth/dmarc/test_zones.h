// SPDX-License-Identifier: Apache-2.0
// A DNS of a few names for tests of evaluators: what is not in it does not exist.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "mailauth/facts/dns_facts.h"

namespace todoku::mailauth::dmarc {

class TestZones {
 public:
  TestZones& txt(const std::string& name, const std::string& text) {
    texts_[name].push_back(text);
    return *this;
  }
  // A name that exists, without records that anybody asks for.
  TestZones& name(const std::string& name) {
    texts_[name];
    return *this;
  }
  TestZones& broken(const std::string& name) {
    broken_.insert(name);
    return *this;
  }

  // The value of `evaluate(facts)` once nothing more is wanted, as dns/fact_gathering.h has it.
  template <class Evaluate>
  auto play(Evaluate evaluate) {
    DnsFacts facts;
    while (true) {
      auto value = evaluate(facts);
      const std::vector<DnsQuestion> wanted = facts.take_wanted();
      if (wanted.empty()) return value;
      for (const DnsQuestion& question : wanted) {
        asked.push_back(question);
        facts.learn(question, answer(question));
      }
    }
  }

  std::vector<DnsQuestion> asked;

 private:
  DnsFact answer(const DnsQuestion& question) const {
    DnsFact fact{.status = DnsFact::Status::absent, .values = {}, .reason = {}};
    if (broken_.contains(question.name)) {
      fact.status = DnsFact::Status::failed;
      fact.reason = "SERVFAIL";
      return fact;
    }
    for (const auto& [name, texts] : texts_) {
      // What has something below it exists, too (RFC 8020).
      const bool is_below = name.ends_with("." + question.name);
      if (name != question.name && !is_below) continue;
      if (fact.status == DnsFact::Status::absent) fact.status = DnsFact::Status::empty;
      if (name != question.name || question.type != FactType::txt || texts.empty()) continue;
      fact.status = DnsFact::Status::found;
      fact.values = texts;
    }
    return fact;
  }

  std::map<std::string, std::vector<std::string>> texts_;
  std::set<std::string> broken_;
};

}  // namespace todoku::mailauth::dmarc
