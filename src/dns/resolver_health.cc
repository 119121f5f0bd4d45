// SPDX-License-Identifier: Apache-2.0
#include "dns/resolver_health.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace todoku::dns {

std::string_view to_string(Trust trust) {
  switch (trust) {
    case Trust::unproven:
      return "unproven";
    case Trust::trusted:
      return "trusted";
    case Trust::suspicious:
      return "suspicious";
    case Trust::lying:
      return "lying";
  }
  return "";
}

void ResolverHealth::answered(std::string_view domain, bool denied, SteadyInstant now) {
  const std::size_t hash = std::hash<std::string_view>()(domain);
  std::erase_if(answers_, [&](const Answered& old) {
    return old.domain == hash || now - old.at > options_.window;
  });
  answers_.push_back({.domain = hash, .denied = denied, .at = now});
  while (answers_.size() > options_.answers_max) answers_.pop_front();
}

bool ResolverHealth::is_wave(SteadyInstant now) const {
  std::size_t asked = 0;
  std::size_t denied = 0;
  for (const Answered& answer : answers_) {
    if (now - answer.at > options_.window) continue;
    ++asked;
    if (answer.denied) ++denied;
  }
  return denied >= options_.wave_domains && denied * 2 > asked;
}

ResolverHealth::Ruling ResolverHealth::rule_denial(SteadyInstant asked,
                                                   SteadyInstant answered) const {
  if (!options_.enabled) return Ruling::stands;
  if (state_ == Trust::lying) return Ruling::doubtful;
  if (clean_since_ && asked < *clean_since_) return Ruling::doubtful;
  if (!began_ended_ || *began_ended_ < answered) return Ruling::wait;
  return state_ == Trust::trusted ? Ruling::stands : Ruling::doubtful;
}

ResolverHealth::Ruling ResolverHealth::rule_bare_address(SteadyInstant asked,
                                                         SteadyInstant answered) const {
  if (!options_.enabled) return Ruling::stands;
  if (invents()) return Ruling::doubtful;
  if (clean_since_ && asked < *clean_since_) return Ruling::doubtful;
  if (!began_ended_ || *began_ended_ < answered) return Ruling::wait;
  return Ruling::stands;
}

ResolverHealth::Ruling ResolverHealth::rule_failure(SteadyInstant answered) const {
  if (!options_.enabled) return Ruling::stands;
  if (!began_ended_ || *began_ended_ < answered) return Ruling::wait;
  return finding_.result == CheckFinding::Result::no_answer ? Ruling::doubtful : Ruling::stands;
}

bool ResolverHealth::invented(const net::IpAddress& address) const {
  return invents() && std::ranges::count(finding_.invented, address) > 0;
}

SteadyInstant ResolverHealth::next_check(std::size_t waiting, SteadyInstant now) const {
  if (checking_) return SteadyInstant::max();
  if (!began_) return now;
  SteadyInstant next = SteadyInstant::max();
  if (waiting > 0) next = *began_ + (is_wave(now) ? options_.wait_wave : options_.wait_calm);
  if (!trusted()) next = std::min(next, *began_ + options_.wait_untrusted);
  if (active_) next = std::min(next, *began_ + options_.every);
  return next;
}

void ResolverHealth::check_began(SteadyInstant now) {
  checking_ = true;
  active_ = false;
  began_ = now;
}

ResolverHealth::Change ResolverHealth::check_ended(CheckFinding finding, SteadyInstant now) {
  using Result = CheckFinding::Result;
  const Trust before = state_;
  const bool was_silent =
      before == Trust::unproven && began_ended_ && finding_.result == Result::no_answer;
  checking_ = false;
  began_ended_ = began_;
  // A silent resolver says nothing against what was found before.
  if (before == Trust::lying && finding.result == Result::no_answer) return Change::none;
  finding_ = std::move(finding);
  switch (finding_.result) {
    case Result::passed:
      state_ = Trust::trusted;
      if (before == Trust::lying) {
        clean_since_ = now;
        return Change::honest;
      }
      return was_silent ? Change::heard : Change::none;
    case Result::failed:
      state_ = Trust::lying;
      return before == Trust::lying ? Change::none : Change::lies;
    case Result::no_answer:
      state_ = Trust::unproven;
      return was_silent ? Change::none : Change::silent;
  }
  return Change::none;
}

Trust ResolverHealth::trust(SteadyInstant now) const {
  return state_ == Trust::trusted && options_.enabled && is_wave(now) ? Trust::suspicious : state_;
}

}  // namespace todoku::dns
