// SPDX-License-Identifier: Apache-2.0
// When a source rests: nothing new is given to it, others of its pool send instead.
//
// Intuition: a source whose PTR record was taken away, or whose port 25 was closed, makes every
// mail that it is given wait or bounce, and spoils its name at the same time; so it is spared. But
// a check can be wrong, and what fails at all sources at once is seldom the fault of each: the
// hosts that are tried are down, the zone of all the names is. Resting for that would leave a pool
// with one address, and help nobody. So it takes the same definite failure three times within an
// hour, nothing that is not determined counts, and another source has to be known to do better: its
// last determined look, not older than an hour, did not fail the same check; of another process's,
// it failed none. There has to be one for each pool and class whose mail the source sends: a source
// of another pool, or one that is reserved for another class, sends none of it.
//
//   sends ──the same failure, 3 times in an hour──> rests, if another that sends passes the check
//   rests ──the check passes───────────────────────> sends
//         ──not found again for an hour────────────> sends (nobody knows any more)
//         ──no other that sends passes it──────────> sends (unless that is configured)
//
// Pure; not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "doctor/source_identity.h"

namespace todoku::doctor {

// The last look of another process at a source of its own.
struct LookElsewhere {
  std::string source;
  SteadyInstant at{};     // by the clock of this process
  bool is_whole = false;  // no check failed
  std::array<bool, kSourceChecks> passed{};
};

class SourceRest {
 public:
  // Sources that send the same mail: those of a pool that send a class.
  struct Shared {
    std::vector<std::string> sources;
    bool is_open = false;  // so does every source that none of Options::shared names
  };
  struct Options {
    std::size_t failures = 3;
    Microseconds within = std::chrono::hours(1);
    bool last_may_rest = false;  // also where no other passes: then it may be that no mail goes
    bool enabled = true;         // false: what would rest is told, and sends
    // Each with all that send it. One that is in none shares all mail with all others.
    std::vector<Shared> shared{};
  };
  struct Change {
    enum class What { rests, returns, kept };  // kept: it would rest, and no other does better
    std::string source;
    What what = What::rests;
    SourceCheck check = SourceCheck::ptr;
    std::string reason;  // of `rests` and `kept` the failure; of `returns` why
  };

  explicit SourceRest(const Options& options) : options_(options) {}

  // `looks`: of every source that is looked at here. What is known of any other is forgotten: it
  // does not rest, and counts for nobody.
  [[nodiscard]] std::vector<Change> look(std::span<const SourceLook> looks, SteadyInstant now);
  // What other processes told of theirs, all of it: they are others as well, as long as a look
  // counts, but only where no check of theirs fails. One that fails another check may be about to
  // rest because of a source here, and then nothing would send.
  void know_elsewhere(std::vector<LookElsewhere> looks) { elsewhere_ = std::move(looks); }
  // The same without a look: time has gone by. Costs nothing; every few seconds.
  [[nodiscard]] std::vector<Change> reconsider(SteadyInstant now);
  [[nodiscard]] bool rests(const std::string& source) const;
  [[nodiscard]] std::vector<std::string> resting() const;

 private:
  struct Seen {  // of one check
    // The same failure in a row, nothing else that is definite between.
    std::string same;
    std::vector<SteadyInstant> failed;    // at most Options::failures, the newest last
    std::optional<SteadyInstant> passed;  // where the last that was definite was no failure
  };
  struct State {
    std::array<Seen, kSourceChecks> checks;
    std::optional<SourceCheck> rests_for;
    bool told_kept = false;
  };
  void note(State& state, const SourceLook& look, SteadyInstant now) const;
  void fetch_back(SteadyInstant now, std::vector<Change>& changes);
  void lay_down(SteadyInstant now, std::vector<Change>& changes);
  [[nodiscard]] bool begins_to_rest(State& state, SourceCheck check, SteadyInstant now);
  [[nodiscard]] std::vector<SourceCheck> failed_checks(const State& state, SteadyInstant now) const;
  [[nodiscard]] bool sends(const Shared& mail, const std::string& source) const;
  // nullptr: of any mail.
  [[nodiscard]] bool another_passes(const std::string& than, const Shared* mail, SourceCheck check,
                                    SteadyInstant now) const;
  // Of each mail that `than` sends.
  [[nodiscard]] bool others_pass(const std::string& than, SourceCheck check,
                                 SteadyInstant now) const;
  [[nodiscard]] bool may_all_rest(SteadyInstant now) const;

  const Options options_;
  std::map<std::string, State> states_;
  std::vector<LookElsewhere> elsewhere_;
};

}  // namespace todoku::doctor
