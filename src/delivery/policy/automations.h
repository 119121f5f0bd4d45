// SPDX-License-Identifier: Apache-2.0
// What is done by itself when a receiver gives a certain answer, as data: rules/automations.toml,
// which travels inside the binary, and what an operator lays over it.
//
//   off = ["yahoo-tss04"]          # automations of the files below that do not hold here
//
//   [[automation]]
//   id = "bank-asks-for-less"      # what logs and `todoku rules explain` call it
//   sites = ["bank"]               # holds at these sites alone; left out: everywhere
//   causes = ["rate"]              # one of these (mail/cause.h); left out: any
//   phrases = ["come back later"]  # one of these, as in rules/replies.toml
//   patterns = ["wait [0-9]+ min"] # or one of these expressions (RE2)
//   times = 3                      # after so many such answers to one lane
//   within_seconds = 600           # within this time (times = 1 and 3600 where left out)
//   slow_to = 2.0                  # the lane sends no more messages a second than this
//   slow_seconds = 3600            # for so long
//   suspend_seconds = 7200         # or: its source rests at this site for so long
//   alarm = true                   # an error in the log, which alarms go by
//   source = "their postmaster page, https://example.jp/postmaster"
//   date = 2026-11-30              # when it was last known to be true
//   note = "why"
//
// An operator's automation of the same id takes the place of ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "feedback/classify/phrase_set.h"
#include "mail/cause.h"

namespace todoku::delivery::policy {

struct Automation {
  std::string id;
  std::vector<std::string> sites;
  std::vector<Cause> causes;
  std::vector<std::size_t> said;  // phrases and patterns, by their number in the set
  std::uint32_t times = 1;
  std::chrono::seconds within{3600};
  double slow_to = 0;                  // messages a second; 0: it does not slow down
  std::chrono::seconds slow_for{};     // set with it
  std::chrono::seconds suspend_for{};  // 0: it does not suspend
  bool alarm = false;
  std::string source;
  std::string date;
  std::string note;
  std::string place;  // "rules/automations.toml:20"
};

// An answer that was not good.
struct BadAnswer {
  std::string_view site;
  Cause cause = Cause::none;
  std::string_view text;  // of the reply
};

// Immutable and so safe to share between threads.
class Automations {
 public:
  struct Layer {
    std::string name;  // in what is told: "rules/automations.toml"
    std::string text;
  };

  // None.
  Automations() = default;

  // Later layers go over earlier ones. Errors: invalid_input with a line for each mistake, up to
  // 20: "automations.toml:12: automation.times must be a whole number from 1 to 1000".
  [[nodiscard]] static Result<Automations> parse(std::span<const Layer> layers);
  [[nodiscard]] static Layer shipped_layer();

  // Those that such an answer counts for, in the order in which they are written.
  [[nodiscard]] std::vector<const Automation*> set_off_by(const BadAnswer& answer) const;
  [[nodiscard]] const std::vector<Automation>& all() const { return all_; }

 private:
  friend class AutomationReader;

  std::vector<Automation> all_;
  feedback::classify::PhraseSet phrases_;
};

// Those that this process goes by; none before put_in_force(), which is for its start.
[[nodiscard]] const Automations& automations_in_force();
void put_in_force(Automations automations);

// How often a lane was given the answers of each automation lately. Not thread-safe.
class AutomationCounts {
 public:
  // True: with this answer it is to be done. Counting begins anew then.
  bool counted(const Automation& automation, SteadyInstant now);
  // Some answer counts still.
  [[nodiscard]] bool counts(SteadyInstant now) const;

 private:
  // The newest of each, no more than it takes.
  std::map<const Automation*, std::vector<SteadyInstant>> answers_;
};

}  // namespace todoku::delivery::policy
