// SPDX-License-Identifier: Apache-2.0
// Plays an evaluation of mailauth/ until nothing that it asks is unknown, on a resolver.
#pragma once

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include "async/timer_clock.h"
#include "base/clock.h"
#include "dns/resolver.h"
#include "mailauth/facts/dns_facts.h"

namespace todoku::dns {

// The answers to `questions`, which are asked at once, in their order. Whatever keeps an answer
// away, the resolver's own trouble included, is `failed`: nothing is concluded from it. What has no
// answer at `end` is failed, too; it then still comes to its own end, which nobody waits for.
[[nodiscard]] Task<std::vector<mailauth::DnsFact>> answers_to(
    Resolver& resolver, std::vector<mailauth::DnsQuestion> questions,
    SteadyInstant end = SteadyInstant::max());

// Evaluators limit what they ask; this only keeps one that is wrong from asking for ever.
inline constexpr std::size_t kFactsMax = 1'000;

// Of all questions of one evaluation together, whose answers may be slow on purpose (RFC 7208
// section 4.6.4).
inline constexpr Milliseconds kGatheringLongest{20'000};

// The value of `evaluate(facts)` in which all that it asked was known. Past kFactsMax questions,
// or `longest`, what is still wanted is `failed`: it takes no longer than that.
template <class Evaluate>
auto gather_facts(Resolver& resolver, mailauth::DnsFacts& facts, Evaluate evaluate,
                  Milliseconds longest = kGatheringLongest) -> Task<decltype(evaluate(facts))> {
  const auto end = std::chrono::floor<Microseconds>(async::TimerClock::now()) + longest;
  while (true) {
    auto value = evaluate(facts);
    std::vector<mailauth::DnsQuestion> wanted = facts.take_wanted();
    if (wanted.empty()) co_return value;
    const bool is_late = async::TimerClock::now() >= end;
    if (is_late || facts.known() >= kFactsMax) {
      for (const mailauth::DnsQuestion& question : wanted) {
        facts.learn(question, {.status = mailauth::DnsFact::Status::failed,
                               .values = {},
                               .reason = is_late ? "no time is left" : "too many questions"});
      }
      continue;
    }
    const std::vector<mailauth::DnsFact> answers = co_await answers_to(resolver, wanted, end);
    for (std::size_t i = 0; i < wanted.size(); ++i) facts.learn(wanted[i], answers[i]);
  }
}

}  // namespace todoku::dns
