// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/source_balance.h"

#include <algorithm>

#include "delivery/policy/pools.h"

namespace todoku::delivery::policy {
namespace {

// Below that a move makes nothing more even.
constexpr std::size_t kApart = 2;

std::size_t count_of(const std::map<std::string, std::int64_t>& owned, std::int64_t node) {
  return static_cast<std::size_t>(
      std::ranges::count_if(owned, [&](const auto& each) { return each.second == node; }));
}

// What the one has that the other could have, by name.
std::vector<std::string> movable(const std::map<std::string, std::int64_t>& owned,
                                 std::int64_t giver, const CourierSeen& receiver) {
  std::vector<std::string> names;
  for (const auto& [source, owner] : owned) {
    if (owner == giver && receiver.could.contains(source)) names.push_back(source);
  }
  return names;
}

}  // namespace

// It was given one by us and has not taken it, yet or at all.
bool SourceBalance::is_refusing(std::int64_t receiver, std::size_t has, SteadyInstant now) {
  const auto given = given_.find(receiver);
  if (given == given_.end()) return false;
  const bool taken = has > given->second.had;
  if (!taken && now - given->second.at < kNotTaken) return true;
  if (taken) {
    receiver_ = receiver;
    since_ = now - kUneven + kNext;
  }
  given_.erase(given);
  return false;
}

// To the receiver with the fewest, from the giver with the most; of several the first.
std::optional<SourceBalance::Move> SourceBalance::best(
    const std::vector<CourierSeen>& couriers, const std::map<std::string, std::int64_t>& owned,
    SteadyInstant now) {
  std::optional<Move> found;
  std::size_t fewest = 0;
  std::size_t most = 0;
  for (const CourierSeen& receiver : couriers) {
    const std::size_t has = count_of(owned, receiver.node);
    if (is_refusing(receiver.node, has, now)) continue;
    for (const CourierSeen& giver : couriers) {
      const std::size_t gives = count_of(owned, giver.node);
      if (gives < has + kApart || movable(owned, giver.node, receiver).empty()) continue;
      const bool fewer = !found || has < fewest;
      if (!fewer && (found->receiver != receiver.node || gives <= most)) continue;
      found = Move{.giver = giver.node, .receiver = receiver.node};
      fewest = has;
      most = gives;
    }
  }
  return found;
}

std::optional<std::string> SourceBalance::look(const std::vector<CourierSeen>& couriers,
                                               const std::map<std::string, std::int64_t>& owned,
                                               std::int64_t itself, bool is_settled,
                                               SteadyInstant now) {
  const auto move = best(couriers, owned, now);
  if (!move) {
    receiver_ = 0;
    return std::nullopt;
  }
  if (receiver_ != move->receiver) {
    receiver_ = move->receiver;
    since_ = now;
  }
  if (!is_settled || move->giver != itself || now - since_ < kUneven) return std::nullopt;
  const auto receiver = std::ranges::find(couriers, move->receiver, &CourierSeen::node);
  const std::vector<std::string> names = movable(owned, itself, *receiver);
  const auto place = choose_source(names, receiver->node, 0);
  if (!place) return std::nullopt;
  given_[receiver->node] = {.had = count_of(owned, receiver->node), .at = now};
  return names[*place];
}

}  // namespace todoku::delivery::policy
