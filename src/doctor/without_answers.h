// SPDX-License-Identifier: Apache-2.0
// What an evaluation says while the resolver is not to be believed: as if nobody had answered.
#pragma once

#include <string>
#include <string_view>

#include "mailauth/facts/dns_facts.h"

namespace todoku::doctor {

// `reason`: for the findings. `evaluate(facts)` asks a bounded number of questions.
template <class Evaluate>
auto without_answers(std::string_view reason, Evaluate evaluate) {
  mailauth::DnsFacts facts;
  while (true) {
    auto value = evaluate(facts);
    const auto wanted = facts.take_wanted();
    if (wanted.empty()) return value;
    for (const mailauth::DnsQuestion& question : wanted) {
      facts.learn(question, {.status = mailauth::DnsFact::Status::failed,
                             .values = {},
                             .reason = std::string(reason)});
    }
  }
}

}  // namespace todoku::doctor
