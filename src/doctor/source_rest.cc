// SPDX-License-Identifier: Apache-2.0
#include "doctor/source_rest.h"

#include <algorithm>

namespace todoku::doctor {

void SourceRest::note(State& state, const SourceLook& look, SteadyInstant now) const {
  for (std::size_t i = 0; i < kSourceChecks; ++i) {
    Seen& seen = state.checks[i];
    const SourceLook::Seen& found = look.seen[i];
    switch (found.outcome) {
      case Outcome::not_determined:
        break;
      case Outcome::pass:
      case Outcome::warning:
        seen = {.same = {}, .failed = {}, .passed = now};
        break;
      case Outcome::fail:
        if (seen.same != found.same) seen = {.same = found.same, .failed = {}, .passed = {}};
        seen.passed.reset();
        seen.failed.push_back(now);
        if (seen.failed.size() > options_.failures) seen.failed.erase(seen.failed.begin());
        break;
    }
  }
}

// Those of which each of the last failures is within the time; of the one that it rests for
// already, the last.
std::vector<SourceCheck> SourceRest::failed_checks(const State& state, SteadyInstant now) const {
  std::vector<SourceCheck> checks;
  for (std::size_t i = 0; i < kSourceChecks; ++i) {
    const std::vector<SteadyInstant>& failed = state.checks[i].failed;
    if (failed.size() < options_.failures) continue;
    const auto check = static_cast<SourceCheck>(i);
    const SteadyInstant counts = state.rests_for == check ? failed.back() : failed.front();
    if (now - counts <= options_.within) checks.push_back(check);
  }
  return checks;
}

bool SourceRest::rests(const std::string& source) const {
  const auto found = states_.find(source);
  return found != states_.end() && found->second.rests_for.has_value();
}

std::vector<std::string> SourceRest::resting() const {
  std::vector<std::string> names;
  for (const auto& [name, state] : states_) {
    if (state.rests_for) names.push_back(name);
  }
  return names;
}

bool SourceRest::sends(const Shared& mail, const std::string& source) const {
  const auto names = [&source](const Shared& each) {
    return std::ranges::find(each.sources, source) != each.sources.end();
  };
  return names(mail) || (mail.is_open && std::ranges::none_of(options_.shared, names));
}

bool SourceRest::another_passes(const std::string& than, const Shared* mail, SourceCheck check,
                                SteadyInstant now) const {
  const auto is_other = [&](const std::string& name) {
    return name != than && (mail == nullptr || sends(*mail, name));
  };
  const bool is_elsewhere = std::ranges::any_of(elsewhere_, [&](const LookElsewhere& look) {
    return look.is_whole && look.passed[static_cast<std::size_t>(check)] &&
           now - look.at <= options_.within && !states_.contains(look.source) &&
           is_other(look.source);
  });
  if (is_elsewhere) return true;
  return std::ranges::any_of(states_, [&](const auto& each) {
    const State& other = each.second;
    if (other.rests_for || !is_other(each.first)) return false;
    const auto& passed = other.checks[static_cast<std::size_t>(check)].passed;
    return passed && now - *passed <= options_.within;
  });
}

bool SourceRest::others_pass(const std::string& than, SourceCheck check, SteadyInstant now) const {
  bool is_in_none = true;
  for (const Shared& mail : options_.shared) {
    if (!sends(mail, than)) continue;
    is_in_none = false;
    if (!another_passes(than, &mail, check, now)) return false;
  }
  return !is_in_none || another_passes(than, nullptr, check, now);
}

bool SourceRest::may_all_rest(SteadyInstant now) const {
  return options_.last_may_rest || std::ranges::all_of(states_, [&](const auto& each) {
           const State& state = each.second;
           return !state.rests_for || others_pass(each.first, *state.rests_for, now);
         });
}

std::vector<SourceRest::Change> SourceRest::look(std::span<const SourceLook> looks,
                                                 SteadyInstant now) {
  // Whose address is another host's now is looked at there.
  std::erase_if(states_, [&](const auto& each) {
    return std::ranges::find(looks, each.first, &SourceLook::source) == looks.end();
  });
  for (const SourceLook& look : looks) note(states_[look.source], look, now);
  return reconsider(now);
}

// Those that return come first: they are others for those that would rest.
std::vector<SourceRest::Change> SourceRest::reconsider(SteadyInstant now) {
  std::vector<Change> changes;
  fetch_back(now, changes);
  lay_down(now, changes);
  return changes;
}

void SourceRest::fetch_back(SteadyInstant now, std::vector<Change>& changes) {
  for (auto& [name, state] : states_) {
    if (!state.rests_for) continue;
    const SourceCheck check = *state.rests_for;
    const std::vector<SourceCheck> failed = failed_checks(state, now);
    const auto still = std::ranges::find_if(failed, [&, &source = name](SourceCheck each) {
      return options_.last_may_rest || others_pass(source, each, now);
    });
    if (still != failed.end()) {
      state.rests_for = *still;
      continue;
    }
    std::string reason = "no other source of its mail is known to pass the check";
    if (std::ranges::find(failed, check) == failed.end()) {
      const bool passes = state.checks[static_cast<std::size_t>(check)].failed.empty();
      reason = passes ? "the check passes" : "the failure was not found again";
    }
    state.rests_for.reset();
    state.told_kept = false;
    changes.push_back({name, Change::What::returns, check, std::move(reason)});
  }
}

// Not where another that rests would lose the last that does better.
bool SourceRest::begins_to_rest(State& state, SourceCheck check, SteadyInstant now) {
  if (!options_.enabled) return false;
  state.rests_for = check;
  if (may_all_rest(now)) return true;
  state.rests_for.reset();
  return false;
}

void SourceRest::lay_down(SteadyInstant now, std::vector<Change>& changes) {
  for (auto& [name, state] : states_) {
    if (state.rests_for) continue;
    const std::vector<SourceCheck> failed = failed_checks(state, now);
    if (failed.empty()) {
      state.told_kept = false;
      continue;
    }
    const auto same = [&state](SourceCheck check) {
      return state.checks[static_cast<std::size_t>(check)].same;
    };
    const auto check = std::ranges::find_if(
        failed, [&](SourceCheck each) { return begins_to_rest(state, each, now); });
    if (check != failed.end()) {
      changes.push_back({name, Change::What::rests, *check, same(*check)});
    } else if (!state.told_kept) {
      state.told_kept = true;
      changes.push_back({name, Change::What::kept, failed.front(), same(failed.front())});
    }
  }
}

}  // namespace todoku::doctor
