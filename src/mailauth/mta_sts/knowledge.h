// SPDX-License-Identifier: Apache-2.0
// What is known of a domain's MTA-STS, and what to do next (RFC 8461 sections 3.3 and 5.1):
//
//   what is known       DNS: an id              DNS: no record, or it fails   the fetch fails
//   nothing             fetch                   no MTA-STS                    no MTA-STS
//   a valid policy      the same id: it holds;  it holds                      it holds
//                       another, or it is a
//                       day old: fetch
//   an outlived one     fetch                   no MTA-STS                    no MTA-STS
//
// Whoever keeps it asks the DNS when look_is_due(), tells looked(), and fetches where that says so.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "mailauth/mta_sts/policy.h"
#include "mailauth/mta_sts/record.h"

namespace todoku::mailauth::mta_sts {

// What the DNS said of the record.
struct Look {
  enum class Said : std::uint8_t { id, no_record, failed };
  Said said = Said::failed;
  std::string id;                   // of Said::id
  NoRecord why = NoRecord::absent;  // of Said::no_record
  std::string reason;               // of Said::failed
  std::chrono::seconds ttl{};       // of the answer
};

// Why a policy could not be had; the names are the words of RFC 8460 section 4.3.2.3 without
// "sts-".
enum class Fault : std::uint8_t {
  policy_fetch_error,  // no answer, or another status than 200
  policy_invalid,      // the answer is no policy
  webpki_invalid,      // the certificate of the policy host
};
[[nodiscard]] std::string_view to_string(Fault fault);  // "sts-policy-fetch-error"

struct FetchFailure {
  Fault fault = Fault::policy_fetch_error;
  std::string reason;  // one sentence
  // Nobody was asked, as others are under way to the same address: may be asked in a moment.
  bool is_busy = false;
};
using Fetched = std::expected<Policy, FetchFailure>;

// A policy as it was fetched.
struct HeldPolicy {
  std::string id;
  Policy policy;
  Instant fetched{};

  [[nodiscard]] Instant expires() const { return fetched + policy.max_age; }
  friend bool operator==(const HeldPolicy&, const HeldPolicy&) = default;
};

class Knowledge {
 public:
  // How often the DNS is asked: as its TTL says, between these.
  static constexpr std::chrono::seconds kLookEveryMin = std::chrono::minutes(5);
  static constexpr std::chrono::seconds kLookEveryMax = std::chrono::hours(1);
  // After a look or a fetch that failed.
  static constexpr std::chrono::seconds kAfterFailure = std::chrono::minutes(5);
  // Section 10.2 has senders fetch in good time; earlier where half of max_age is over.
  static constexpr std::chrono::seconds kFetchEvery = std::chrono::hours(24);

  Knowledge() = default;
  // Fetched before, by whomever, and not looked at since.
  explicit Knowledge(HeldPolicy held) : held_(std::move(held)) {}

  // The policy to go by; nullptr: none. "mode: none" is none, too.
  [[nodiscard]] const Policy* in_force(Instant now) const;
  // What was fetched last and has not outlived its max_age, whatever its mode.
  [[nodiscard]] const HeldPolicy* held(Instant now) const;
  // Somebody has looked, or a policy holds: nobody has to wait for what comes of the next look.
  [[nodiscard]] bool is_usable(Instant now) const;
  [[nodiscard]] bool look_is_due(Instant now) const { return now >= look_at_; }

  // True: the policy is to be fetched, and fetched() told.
  [[nodiscard]] bool looked(const Look& look, Instant now);
  void fetched(std::string id, Fetched policy, Instant now);
  // Mail failed for the policy, which may have changed meanwhile: looks again soon (section 5.2).
  void doubt(Instant now);

  // Why the last fetch gave nothing; it goes with the next that gives a policy.
  [[nodiscard]] const std::optional<FetchFailure>& failure() const { return failure_; }

 private:
  std::optional<HeldPolicy> held_;
  std::optional<FetchFailure> failure_;
  bool looked_ = false;
  Instant looked_at_{};
  Instant look_at_{};
};

}  // namespace todoku::mailauth::mta_sts
