// SPDX-License-Identifier: Apache-2.0
// What a receiver does at each point of the dialogue, decided without any waiting: rules in order,
// then greylisting. Pure but for the memory of attempts.
//
// Odds are drawn so that a seed repeats itself whatever the order and the threads:
//   - a permanent refusal of a recipient depends on the address only: who does not exist today does
//     not exist tomorrow;
//   - a temporary refusal or a lost connection depends on the address and on how often it happened
//     to it before, so that a later attempt may come through;
//   - where there is no recipient (connect, hello, starttls, mail, quit), on the connection.
//
// Unless turned off, a recipient's local part up to the first "+" or "." says what happens to it:
//   bounce, bounce-550    refused at RCPT with this 5xx code
//   defer, defer-450      deferred at RCPT with this 4xx code, for ever
//   grey, grey-3          deferred at RCPT until the second (third) attempt
//   flaky-30              deferred at RCPT in 30 % of its attempts
//   late-554              refused or deferred with this code after the body
//   close-rcpt            the connection is closed without a reply at rcpt, data, bdat or body
//   slow-5                RCPT is answered after 5 seconds
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "mail/address.h"
#include "mail/reply.h"
#include "sink/attempts.h"
#include "sink/options.h"

namespace todoku::sink {

struct Scene {
  Moment at = Moment::connect;
  std::string_view client;              // IP address
  std::string_view sender;              // empty: the null path, or none yet
  std::span<const Address> recipients;  // at rcpt the one in question, later the accepted ones
};

struct Decision {
  Microseconds delay{};
  bool close = false;
  std::optional<Reply> reply;  // none: accept

  [[nodiscard]] bool decided() const { return close || reply; }
  [[nodiscard]] bool accepts() const { return !reply || reply->code < 400; }
};

// True if `text` fits a pattern of *, ? and other characters, without regard to case.
[[nodiscard]] bool fits(std::string_view pattern, std::string_view text);

// Immutable, shared by all connections of a receiver; thread-safe.
class Script {
 public:
  // Both must outlive the script.
  Script(const Receiver& receiver, std::uint64_t seed, Attempts& attempts);

  [[nodiscard]] Decision decide(const Scene& scene, Random& random, Instant now) const;

  // Whether this receiver takes mail for `domain`.
  [[nodiscard]] bool serves(const std::string& domain) const;

 private:
  struct NumberedRule {
    std::uint64_t number;
    Rule rule;
  };

  [[nodiscard]] bool applies(const NumberedRule& numbered, const Scene& scene, Random& random,
                             Instant now) const;
  void follow_address(const Scene& scene, const Address& address, Instant now,
                      Decision& decision) const;
  void apply_greylist(const Scene& scene, Instant now, Decision& decision) const;
  [[nodiscard]] bool draw_temporary(std::uint64_t number, const Scene& scene,
                                    const Address& address, double odds, Instant now) const;
  [[nodiscard]] Reply words(Excuse excuse, const Scene& scene, const Address* about) const;

  const Receiver& receiver_;
  const std::uint64_t seed_;
  Attempts& attempts_;
  std::array<std::vector<NumberedRule>, kMoments> rules_;
  std::unordered_set<std::string> domains_;
  std::vector<std::string> domain_patterns_;
};

}  // namespace todoku::sink
