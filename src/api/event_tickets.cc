// SPDX-License-Identifier: Apache-2.0
#include "api/event_tickets.h"

#include <utility>

#include "base/bytes.h"
#include "base/digest.h"

namespace todoku::api {
namespace {

// Of one account, and of all.
constexpr std::size_t kHeldMax = 100;
constexpr std::size_t kTicketsMax = 10'000;
constexpr std::size_t kTicketOctets = 24;

}  // namespace

void EventTickets::forget_old(SteadyInstant now) {
  for (auto each = tickets_.begin(); each != tickets_.end();) {
    if (now < each->second.until) {
      ++each;
      continue;
    }
    const auto held = held_.find(each->second.account);
    if (--held->second == 0) held_.erase(held);
    each = tickets_.erase(each);
  }
}

std::optional<std::string> EventTickets::issue(store::AccountKey account, std::string authorization,
                                               SteadyInstant now) {
  std::string ticket = to_base64url(random_octets(kTicketOctets));
  const std::lock_guard lock(mutex_);
  forget_old(now);
  const auto held = held_.find(account);
  const bool has_enough = held != held_.end() && held->second >= kHeldMax;
  if (has_enough || tickets_.size() >= kTicketsMax) return std::nullopt;
  tickets_.emplace(ticket, Ticket{account, std::move(authorization), now + kTicketLife});
  ++held_[account];
  return ticket;
}

std::optional<std::string> EventTickets::redeem(std::string_view ticket, SteadyInstant now) {
  const std::lock_guard lock(mutex_);
  forget_old(now);
  const auto found = tickets_.find(ticket);
  if (found == tickets_.end()) return std::nullopt;
  std::string authorization = std::move(found->second.authorization);
  const auto held = held_.find(found->second.account);
  if (--held->second == 0) held_.erase(held);
  tickets_.erase(found);
  return authorization;
}

}  // namespace todoku::api
