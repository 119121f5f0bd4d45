// SPDX-License-Identifier: Apache-2.0
// A zone as most of its servers tell it, with a resolver's facts for what leads out of it. Within
// doctor/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/domain_check.h"
#include "mailauth/facts/dns_facts.h"
#include "mailauth/facts/server_answers.h"

namespace todoku::doctor {

class ZoneReading {
 public:
  // Both must outlive it.
  ZoneReading(const ZoneView& view, mailauth::DnsFacts& facts);

  // What most servers say; of as many, those with the newest zone. nullptr: none was asked.
  [[nodiscard]] const mailauth::ServerAnswer* told(mailauth::FactType type,
                                                   std::string_view name) const;
  // The same as a receiver gets it: a CNAME followed, and what is delegated further looked up.
  [[nodiscard]] mailauth::DnsFact fact(mailauth::FactType type, std::string_view name);
  // TXT records that the servers themselves have at `name`, without asking anybody else.
  [[nodiscard]] bool has_texts(std::string_view name) const;
  // For how long resolvers remember that something is not there; 0: unknown.
  [[nodiscard]] std::uint32_t negative_ttl() const;

  [[nodiscard]] mailauth::DnsFacts& facts() { return facts_; }

  // The value of `evaluate(facts)` on the zone as it is told and, beyond it, what the resolver
  // says. nullopt: something is still wanted of facts().
  template <class Evaluate>
  auto evaluate(Evaluate evaluate) -> std::optional<decltype(evaluate(facts()))> {
    return play(evaluate, overlay_);
  }
  // The same, were `text` the only TXT record at `name`.
  template <class Evaluate>
  auto evaluate_with(const std::string& name, const std::string& text, Evaluate evaluate)
      -> std::optional<decltype(evaluate(facts()))> {
    mailauth::DnsFacts changed;
    changed.learn({.type = mailauth::FactType::txt, .name = name},
                  {.status = mailauth::DnsFact::Status::found, .values = {text}, .reason = {}});
    return play(evaluate, changed);
  }

 private:
  template <class Evaluate>
  auto play(Evaluate& evaluate, mailauth::DnsFacts& known)
      -> std::optional<decltype(evaluate(known))> {
    while (true) {
      auto value = evaluate(known);
      const auto wanted = known.take_wanted();
      if (wanted.empty()) return value;
      if (!learn(wanted, known)) return std::nullopt;
    }
  }
  bool learn(const std::vector<mailauth::DnsQuestion>& wanted, mailauth::DnsFacts& known);

  const ZoneView& view_;
  mailauth::DnsFacts& facts_;
  mailauth::DnsFacts overlay_;
};

// Two answers that say the same, in whatever order.
[[nodiscard]] bool say_the_same(const mailauth::ServerAnswer& a, const mailauth::ServerAnswer& b);
// RFC 1982: serial numbers go round.
[[nodiscard]] bool is_older_serial(std::uint32_t a, std::uint32_t b);
// The newest that a server has told of its zone.
[[nodiscard]] std::optional<std::uint32_t> serial_of(const ServerView& server);

}  // namespace todoku::doctor
