// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/digest.h"
#include "delivery/egress/lane.h"

namespace todoku::delivery::egress {
namespace {

// How long mails wait that no lane could be given.
constexpr std::chrono::seconds kParkedFor{10};

}  // namespace

std::string route_key(const dns::MailRoute& route) {
  std::string key;
  for (const dns::MailHost& host : route.hosts) {
    if (!key.empty()) key += ',';
    key += host.name;
    switch (host.dane.demand) {
      case DaneDemand::nothing:
        continue;
      case DaneDemand::encryption:
        key += "/tls";
        continue;
      case DaneDemand::not_answered:
        key += "/tlsa?";
        continue;
      case DaneDemand::proof:
        key += "/dane";
        break;
    }
    // A certificate may have been taken for the domain's name in it.
    for (const std::string& name : host.dane.other_names) key.append("=").append(name);
  }
  return key;
}

void LaneDirectory::add(const EgressSource& source, LaneRoute route, std::vector<Mail> mails) {
  MailsInHand in_hand(std::move(mails));
  try {
    auto arrival = std::make_unique<LaneArrival>();
    const auto lane = announced_lane(source, route.route().site);
    arrival->route = std::move(route);
    arrival->mails = std::move(in_hand);
    lane->add(std::move(arrival));
  } catch (...) {
    async::report_exception("lanes", std::current_exception());
    const SteadyInstant due = world_.clock.steady_now() + kParkedFor;
    for (; !in_hand.empty(); in_hand.pop()) world_.outcomes.parked(in_hand.front(), due);
  }
}

std::shared_ptr<Lane> LaneDirectory::announced_lane(const EgressSource& source,
                                                    const std::string& site) {
  std::pair key(site, source.name);
  const std::lock_guard lock(mutex_);
  auto found = lanes_.find(key);
  if (found == lanes_.end()) {
    const std::uint64_t hash = fnv1a64(site + "|" + source.name);
    auto lane = std::make_shared<Lane>(world_, site, rules_.limits(site), source,
                                       static_cast<std::size_t>(hash % world_.runtime.size()), hash,
                                       !source.smarthost && rules_.sites().contains(site));
    if (draining_ || drained_.contains(source.name)) lane->drain();
    found = lanes_.emplace(std::move(key), std::move(lane)).first;
  }
  found->second->announce();
  return found->second;
}

void LaneDirectory::tidy() noexcept {
  const std::lock_guard lock(mutex_);
  const auto tidy = [this](const Name& name, const std::shared_ptr<Lane>& lane) {
    try {
      boost::asio::post(lane->home(), [this, name, lane] {
        lane->tidy();
        forget_if_idle(name, *lane);
      });
    } catch (...) {
      async::report_exception("tidying a lane", std::current_exception());
    }
  };
  for (const auto& [name, lane] : lanes_) tidy(name, lane);
  for (const auto& [name, lane] : ending_) tidy(name, lane);
}

// Whether it is idle is known on its own thread; while it is not announced to, under our lock,
// nobody can make it busy.
void LaneDirectory::forget_if_idle(const Name& name, const Lane& lane) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    const auto found = lanes_.find(name);
    if (!lane.is_idle()) return;
    if (found != lanes_.end() && found->second.get() == &lane) lanes_.erase(found);
    std::erase_if(ending_, [&](const auto& entry) { return entry.second.get() == &lane; });
  } catch (...) {
    async::report_exception("tidying a lane", std::current_exception());
  }
}

void LaneDirectory::drain() {
  const std::lock_guard lock(mutex_);
  draining_ = true;
  for (const auto& [key, lane] : lanes_) lane->drain();
}

void LaneDirectory::drain(std::string_view source) {
  const std::lock_guard lock(mutex_);
  drained_.emplace(source);
  for (const auto& [key, lane] : lanes_) {
    if (key.second == source) lane->drain();
  }
}

void LaneDirectory::resume(std::string_view source) {
  const std::lock_guard lock(mutex_);
  if (const auto drained = drained_.find(source); drained != drained_.end()) {
    drained_.erase(drained);
  } else {
    return;
  }
  for (auto it = lanes_.begin(); it != lanes_.end();) {
    const auto lane = it++;
    if (lane->first.second != source) continue;
    ending_.emplace_back(lane->first, lane->second);
    lanes_.erase(lane);
  }
}

bool LaneDirectory::in_use(std::string_view source) const {
  const std::lock_guard lock(mutex_);
  const auto is_busy = [&](const Name& name, const Lane& lane) {
    if (name.second != source) return false;
    const Lane::Figures figures = lane.figures();
    return figures.connections > 0 || figures.waiting > 0;
  };
  return std::ranges::any_of(
             lanes_, [&](const auto& entry) { return is_busy(entry.first, *entry.second); }) ||
         std::ranges::any_of(
             ending_, [&](const auto& entry) { return is_busy(entry.first, *entry.second); });
}

std::vector<Lane::Figures> LaneDirectory::figures() const {
  const std::lock_guard lock(mutex_);
  std::vector<Lane::Figures> out;
  out.reserve(lanes_.size());
  for (const auto& [key, lane] : lanes_) out.push_back(lane->figures());
  return out;
}

// Under the lock: a lane must not end with the reference of whoever asks.
std::optional<Lane::Figures> LaneDirectory::figures_of(std::string site, std::string source) const {
  const std::lock_guard lock(mutex_);
  const auto found = lanes_.find(Name(std::move(site), std::move(source)));
  if (found == lanes_.end()) return std::nullopt;
  return found->second->figures();
}

std::optional<MailAtHand::Sight> LaneDirectory::at_hand(std::string site, std::string source,
                                                        const store::RecipientKey& mail) const {
  const std::lock_guard lock(mutex_);
  const auto found = lanes_.find(Name(std::move(site), std::move(source)));
  if (found == lanes_.end()) return std::nullopt;
  return found->second->at_hand(mail);
}

}  // namespace todoku::delivery::egress
