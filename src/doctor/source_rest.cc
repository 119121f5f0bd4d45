// SPDX-License-Identifier: Apache-2.0
#include "doctor/source_rest.h"

#include <algorithm>

namespace todoku::doctor {

void SourceRest::note(State& state, const SourceLook& look, SteadyInstant now) const {
  for (std::size_t i = 0; i < kSourceChecks; ++i) {
    Failures& failures = state.checks[i];
    const SourceLook::Seen& seen = look.seen[i];
    switch (seen.outcome) {
      case Outcome::not_determined:
        break;
      case Outcome::pass:
      case Outcome::warning:
        failures = {};
        break;
      case Outcome::fail:
        if (failures.same != seen.same) failures = {.same = seen.same, .at = {}};
        failures.at.push_back(now);
        if (failures.at.size() > options_.failures) failures.at.erase(failures.at.begin());
        break;
    }
  }
}

// Whether each of the last failures is within the time; for one that rests already, the last.
std::optional<SourceCheck> SourceRest::has_failed(const State& state, SteadyInstant now) const {
  const auto is_recent = [&](SteadyInstant at) { return now - at <= options_.within; };
  for (std::size_t i = 0; i < kSourceChecks; ++i) {
    const Failures& failures = state.checks[i];
    if (failures.at.size() < options_.failures) continue;
    const auto check = static_cast<SourceCheck>(i);
    const SteadyInstant counts =
        state.rests_for == check ? failures.at.back() : failures.at.front();
    if (is_recent(counts)) return check;
  }
  return std::nullopt;
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

bool SourceRest::another_sends(const std::string& than, std::span<const std::string> pool,
                               std::span<const std::string> others_send) const {
  return std::ranges::any_of(pool, [&](const std::string& name) {
    if (name == than || rests(name)) return false;
    // Looked at here: it is sent from here. Else somebody must be known to send from it.
    return states_.contains(name) || std::ranges::find(others_send, name) != others_send.end();
  });
}

std::vector<SourceRest::Change> SourceRest::look(std::span<const std::string> pool,
                                                 std::span<const SourceLook> looks,
                                                 std::span<const std::string> others_send,
                                                 SteadyInstant now) {
  // Whose address is another host's now is looked at there.
  std::erase_if(states_, [&](const auto& each) {
    return std::ranges::find(looks, each.first, &SourceLook::source) == looks.end();
  });
  for (const SourceLook& look : looks) note(states_[look.source], look, now);
  return reconsider(pool, others_send, now);
}

// Those that return come first: they are others for those that would rest.
std::vector<SourceRest::Change> SourceRest::reconsider(std::span<const std::string> pool,
                                                       std::span<const std::string> others_send,
                                                       SteadyInstant now) {
  std::vector<Change> changes;
  fetch_back(pool, others_send, now, changes);
  lay_down(pool, others_send, now, changes);
  return changes;
}

void SourceRest::fetch_back(std::span<const std::string> pool,
                            std::span<const std::string> others_send, SteadyInstant now,
                            std::vector<Change>& changes) {
  for (auto& [name, state] : states_) {
    if (!state.rests_for) continue;
    const SourceCheck check = *state.rests_for;
    const Failures& failures = state.checks[static_cast<std::size_t>(check)];
    const bool is_found_again = has_failed(state, now).has_value();
    if (is_found_again && (options_.last_may_rest || another_sends(name, pool, others_send))) {
      continue;
    }
    std::string reason = "no other source of its pool sends";
    if (is_found_again) {
      const auto place = std::ranges::find(pool, name) - pool.begin();
      state.stays_until = now + kStays * (place + 1);
    } else {
      reason = failures.at.empty() ? "the check passes" : "the failure was not found again";
    }
    state.rests_for.reset();
    state.told_kept = false;
    changes.push_back({name, Change::What::returns, check, std::move(reason)});
  }
}

void SourceRest::lay_down(std::span<const std::string> pool,
                          std::span<const std::string> others_send, SteadyInstant now,
                          std::vector<Change>& changes) {
  for (auto& [name, state] : states_) {
    if (state.rests_for) continue;
    const auto check = has_failed(state, now);
    if (!check) {
      state.told_kept = false;
      continue;
    }
    const std::string& same = state.checks[static_cast<std::size_t>(*check)].same;
    const bool stays = state.stays_until && now < *state.stays_until;
    const bool may = options_.enabled && !stays &&
                     (options_.last_may_rest || another_sends(name, pool, others_send));
    if (may) {
      state.rests_for = check;
      changes.push_back({name, Change::What::rests, *check, same});
    } else if (!state.told_kept) {
      state.told_kept = true;
      changes.push_back({name, Change::What::kept, *check, same});
    }
  }
}

}  // namespace todoku::doctor
