// SPDX-License-Identifier: Apache-2.0
// When a source rests: nothing new is given to it, others of its pool send instead.
//
// Intuition: a source whose PTR record was taken away, or whose port 25 was closed, makes every
// mail that it is given wait or bounce, and spoils its name at the same time; so it is spared. But
// a check can be wrong, and resting everything stops all mail, which is worse than mail with a
// wrong name. So it takes the same definite failure three times within an hour, nothing that is not
// determined counts, and of a pool one always sends.
//
//   sends ──the same failure, 3 times in an hour──> rests, if another of the pool sends
//   rests ──the check passes───────────────────────> sends
//         ──not found again for an hour────────────> sends (nobody knows any more)
//         ──no other of the pool sends─────────────> sends (unless that is configured)
//
// Pure; not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "doctor/source_identity.h"

namespace todoku::doctor {

class SourceRest {
 public:
  struct Options {
    std::size_t failures = 3;
    Microseconds within = std::chrono::hours(1);
    bool last_may_rest = false;  // also the last that sends: then no mail goes
    bool enabled = true;         // false: what would rest is told, and sends
  };
  struct Change {
    enum class What { rests, returns, kept };  // kept: it would rest, and is the last of its pool
    std::string source;
    What what = What::rests;
    SourceCheck check = SourceCheck::ptr;
    std::string reason;  // of `rests` and `kept` the failure; of `returns` why
  };

  explicit SourceRest(const Options& options) : options_(options) {}

  // `pool`: everything configured. `looks`: of sources that are looked at here, some or all of
  // them. `others_send`: sources that others send from, as far as is known.
  [[nodiscard]] std::vector<Change> look(std::span<const std::string> pool,
                                         std::span<const SourceLook> looks,
                                         std::span<const std::string> others_send,
                                         SteadyInstant now);
  // The same without a look: others have come or gone. Costs nothing; every few seconds, so that
  // what rests comes back soon after the last other has gone.
  [[nodiscard]] std::vector<Change> reconsider(std::span<const std::string> pool,
                                               std::span<const std::string> others_send,
                                               SteadyInstant now);
  [[nodiscard]] bool rests(const std::string& source) const;
  [[nodiscard]] std::vector<std::string> resting() const;

 private:
  struct Failures {  // the same one in a row, nothing else that is definite between
    std::string same;
    std::vector<SteadyInstant> at;  // at most Options::failures, the newest last
  };
  struct State {
    std::array<Failures, kSourceChecks> checks;
    std::optional<SourceCheck> rests_for;
    bool told_kept = false;
    // It was fetched back as the last: no rest before. Two processes that rest theirs at the same
    // moment would else do so for ever; each source has a time of its own.
    std::optional<SteadyInstant> stays_until;
  };
  static constexpr Microseconds kStays = std::chrono::minutes(5);
  void note(State& state, const SourceLook& look, SteadyInstant now) const;
  void fetch_back(std::span<const std::string> pool, std::span<const std::string> others_send,
                  SteadyInstant now, std::vector<Change>& changes);
  void lay_down(std::span<const std::string> pool, std::span<const std::string> others_send,
                SteadyInstant now, std::vector<Change>& changes);
  [[nodiscard]] std::optional<SourceCheck> has_failed(const State& state, SteadyInstant now) const;
  [[nodiscard]] bool another_sends(const std::string& than, std::span<const std::string> pool,
                                   std::span<const std::string> others_send) const;

  const Options options_;
  std::map<std::string, State> states_;
};

}  // namespace todoku::doctor
