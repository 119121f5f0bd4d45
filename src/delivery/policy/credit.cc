// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/credit.h"

#include <algorithm>

namespace todoku::delivery::policy {
namespace {
constexpr std::chrono::seconds kWindow{1};
constexpr double kSmoothing = 0.5;  // weight of the newest window
constexpr std::size_t kSitesMax = 100'000;
}  // namespace

const CreditLedger::Site* CreditLedger::find(std::string_view name) const {
  const auto found = sites_.find(name);
  return found == sites_.end() ? nullptr : &found->second;
}

CreditLedger::Site& CreditLedger::site(std::string_view name) {
  const auto found = sites_.find(name);
  if (found != sites_.end()) return found->second;
  // Sites with nothing outstanding are only a memory of their pace: forget them when there are
  // many.
  if (sites_.size() >= kSitesMax) {
    std::erase_if(sites_, [](const auto& entry) {
      return entry.second.outstanding == 0 && !entry.second.on_probation;
    });
  }
  return sites_[std::string(name)];
}

std::int64_t CreditLedger::available(std::string_view name, SteadyInstant now) const {
  const std::int64_t in_total = options_.total - total_outstanding_;
  const Site* known = find(name);
  if (known == nullptr) return std::max<std::int64_t>(0, std::min(options_.minimum, in_total));
  if (now < known->rest_until) return 0;
  if (known->on_probation) return known->outstanding > 0 || in_total <= 0 ? 0 : 1;
  const auto horizon =
      static_cast<std::int64_t>(known->pace * static_cast<double>(options_.horizon.count()));
  const std::int64_t limit = std::clamp(horizon, options_.minimum, options_.maximum);
  return std::max<std::int64_t>(0, std::min(limit - known->outstanding, in_total));
}

void CreditLedger::hand_out(std::string_view name, std::int64_t recipients) {
  site(name).outstanding += recipients;
  total_outstanding_ += recipients;
}

void CreditLedger::settle(std::string_view name, std::int64_t recipients, SteadyInstant now) {
  give_back(name, recipients);
  Site& entry = site(name);
  // What comes in while it rests is of before.
  if (now >= entry.rest_until) entry.on_probation = false;
  const auto elapsed = now - entry.window_start;
  entry.settled_in_window += recipients;
  if (elapsed < kWindow) return;
  const double seconds = std::chrono::duration<double>(elapsed).count();
  const double latest = static_cast<double>(entry.settled_in_window) / std::max(seconds, 1.0);
  entry.pace = kSmoothing * latest + (1 - kSmoothing) * entry.pace;
  entry.settled_in_window = 0;
  entry.window_start = now;
}

void CreditLedger::give_back(std::string_view name, std::int64_t recipients) {
  Site& entry = site(name);
  const std::int64_t returned = std::min(recipients, entry.outstanding);
  entry.outstanding -= returned;
  total_outstanding_ -= returned;
}

void CreditLedger::rest_until(std::string_view name, SteadyInstant until) {
  Site& entry = site(name);
  entry.rest_until = until;
  entry.on_probation = true;
}

std::int64_t CreditLedger::outstanding(std::string_view name) const {
  const Site* known = find(name);
  return known == nullptr ? 0 : known->outstanding;
}

}  // namespace todoku::delivery::policy
