// SPDX-License-Identifier: Apache-2.0
// Plays an evaluation of mailauth/ until nothing that it asks is unknown, on a resolver.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "dns/resolver.h"
#include "mailauth/facts/dns_facts.h"

namespace todoku::dns {

// The answers to `questions`, which are asked at once, in their order. Whatever keeps an answer
// away, the resolver's own trouble included, is `failed`: nothing is concluded from it.
[[nodiscard]] Task<std::vector<mailauth::DnsFact>> answers_to(
    Resolver& resolver, std::vector<mailauth::DnsQuestion> questions);

// Evaluators limit what they ask; this only keeps one that is wrong from asking for ever.
inline constexpr std::size_t kFactsMax = 1'000;

// The value of `evaluate(facts)` in which all that it asked was known. Past kFactsMax questions,
// what is still wanted is `failed`.
template <class Evaluate>
auto gather_facts(Resolver& resolver, mailauth::DnsFacts& facts, Evaluate evaluate)
    -> Task<decltype(evaluate(facts))> {
  while (true) {
    auto value = evaluate(facts);
    std::vector<mailauth::DnsQuestion> wanted = facts.take_wanted();
    if (wanted.empty()) co_return value;
    if (facts.known() >= kFactsMax) {
      for (const mailauth::DnsQuestion& question : wanted) {
        facts.learn(question, {.status = mailauth::DnsFact::Status::failed,
                               .values = {},
                               .reason = "too many questions"});
      }
      continue;
    }
    const std::vector<mailauth::DnsFact> answers = co_await answers_to(resolver, wanted);
    for (std::size_t i = 0; i < wanted.size(); ++i) facts.learn(wanted[i], answers[i]);
  }
}

}  // namespace todoku::dns
