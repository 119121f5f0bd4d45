// SPDX-License-Identifier: Apache-2.0
// May our own resolver be believed? A resolver that denies names which exist (broken, captive, cut
// off from the root) would turn all mail into bounces within seconds, and one that gives addresses
// for names which do not exist would bring mail to a host that is nobody's.
//
// So a denial ("there is no such domain") is final only with proof: a check of the resolver that
// began after the answer and passed. resolver_check.h makes checks, resolver_watch.h runs them;
// this decides when one is needed and what an answer is worth. Pure.
//
//   state         passed     failed     no answer     a denial is
//   unproven      trusted    lying      unproven      temporary, unless a check comes and passes
//   trusted       trusted    lying      unproven      final once a check that began after it passed
//   suspicious    trusted    lying      unproven      the same; the check comes sooner
//   lying         trusted *  lying      lying         temporary
//
// A look-up that failed waits for a check in the same way: where that got no answer either, the
// failure is ours and not the domain's.
//
//   * What was asked before is worth nothing any more: caches hold the lies of that time.
//
// suspicious: many of the domains asked lately were denied. An old list looks like that, too, which
// is why this alone holds no bounce back: it only hastens the check that settles the matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/endpoint.h"

namespace todoku::dns {

enum class Trust : std::uint8_t { unproven, trusted, suspicious, lying };
[[nodiscard]] std::string_view to_string(Trust trust);

// What a check of the resolver found.
struct CheckFinding {
  enum class Result : std::uint8_t { passed, failed, no_answer };
  Result result = Result::no_answer;
  // One sentence for people; empty if it passed.
  std::string problem;
  // It gives addresses for names that do not exist, such as these.
  bool invents = false;
  std::vector<net::IpAddress> invented;
};

// Not thread-safe.
class ResolverHealth {
 public:
  struct Options {
    bool enabled = true;  // otherwise every denial is final at once, and nothing is suspicious
    // A wave: so many distinct domains denied within the window, and more than half of those asked.
    // A person mistyping a few addresses makes none.
    Microseconds window = std::chrono::seconds(60);
    std::size_t wave_domains = 5;
    std::size_t answers_max = 256;  // remembered; older ones leave
    // From the beginning of one check to that of the next: while denials wait for it, the same in a
    // wave, after one that did not pass, and while mail is sent.
    Microseconds wait_calm = std::chrono::seconds(2);
    Microseconds wait_wave = std::chrono::milliseconds(500);
    Microseconds wait_untrusted = std::chrono::seconds(5);
    Microseconds every = std::chrono::seconds(30);
  };
  enum class Ruling : std::uint8_t {
    stands,    // as good as any answer of the DNS
    wait,      // for the next check, then ask again
    doubtful,  // nothing can be concluded from it now
  };
  // What check_ended() changed: it was found to lie, or to say nothing; the lies or the silence are
  // over.
  enum class Change : std::uint8_t { none, lies, silent, honest, heard };

  explicit ResolverHealth(const Options& options) : options_(options) {}

  // The resolver is in use, so its state is worth knowing.
  void used() { active_ = true; }
  // A look-up came to its end: there is such a domain, or not.
  void answered(std::string_view domain, bool denied, SteadyInstant now);

  // Whether "there is no such thing" stands, which was asked for and answered at these times.
  [[nodiscard]] Ruling rule_denial(SteadyInstant asked, SteadyInstant answered) const;
  // The same of an address without MX records, which is what an inventing resolver would give. Only
  // a known liar makes it doubtful: silence is no reason to invent.
  [[nodiscard]] Ruling rule_bare_address(SteadyInstant asked, SteadyInstant answered) const;
  // The same of a look-up that came to nothing: it is the domain's matter only if our own resolver
  // answers at all.
  [[nodiscard]] Ruling rule_failure(SteadyInstant answered) const;
  // Whether the resolver was seen to give this address for names that do not exist.
  [[nodiscard]] bool invented(const net::IpAddress& address) const;

  // When the next check should begin, `waiting` answers waiting for it; max() while one runs or
  // none is needed: the resolver is trusted and nothing was asked since.
  [[nodiscard]] SteadyInstant next_check(std::size_t waiting, SteadyInstant now) const;
  void check_began(SteadyInstant now);
  Change check_ended(CheckFinding finding, SteadyInstant now);

  [[nodiscard]] Trust trust(SteadyInstant now) const;
  // Denials may become bounces.
  [[nodiscard]] bool trusted() const { return state_ == Trust::trusted; }
  // When the last check began that has ended.
  [[nodiscard]] std::optional<SteadyInstant> checked() const { return began_ended_; }
  // Of the last check; empty if it passed.
  [[nodiscard]] const std::string& problem() const { return finding_.problem; }
  [[nodiscard]] bool invents() const { return state_ == Trust::lying && finding_.invents; }

 private:
  struct Answered {
    std::size_t domain = 0;  // its hash
    bool denied = false;
    SteadyInstant at{};
  };
  [[nodiscard]] bool is_wave(SteadyInstant now) const;

  Options options_;
  Trust state_ = Trust::unproven;  // never suspicious: that is seen from the answers
  std::deque<Answered> answers_;   // one for each domain, the oldest first
  bool checking_ = false;
  bool active_ = false;                       // something was asked since the last check began
  std::optional<SteadyInstant> began_;        // the last check
  std::optional<SteadyInstant> began_ended_;  // the last check that ended, when it began
  std::optional<SteadyInstant> clean_since_;  // the end of the last time of lies
  CheckFinding finding_{.result = CheckFinding::Result::no_answer,
                        .problem = "the name servers were not checked yet",
                        .invents = false,
                        .invented = {}};
};

}  // namespace todoku::dns
