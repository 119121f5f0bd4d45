// SPDX-License-Identifier: Apache-2.0
#include "relay/anomaly.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "net/client_counts.h"
#include "store/codec.h"

namespace todoku::relay {
namespace {

constexpr Milliseconds kHour = std::chrono::hours(1);
constexpr std::int64_t kHoursADay = 24;
constexpr Milliseconds kStrangeFor = std::chrono::hours(24);
// The average is kept in parts of a recipient, and a day moves it by a fourth of the difference.
constexpr std::int64_t kUsualUnits = 16;
constexpr std::int64_t kDayWeighs = 4;
// Beyond it a figure tells nothing more, and products of it stay numbers.
constexpr std::int64_t kMost = 1'000'000'000'000;
constexpr std::uint64_t kForm = 1;             // of what is packed
constexpr std::int64_t kForgottenInDays = 41;  // halves of kMost

std::int64_t sum(std::int64_t a, std::int64_t b) {
  return std::min(kMost, a + std::clamp<std::int64_t>(b, 0, kMost));
}

std::int64_t hour_of(Instant now) {
  return to_epoch_ms(now) / kHour.count();
}

bool is_new(const Habits& habits) {
  return habits.since == Instant{};
}

void end_day(Habits& habits, std::int64_t days_over) {
  if (habits.busiest > 0) {
    const std::int64_t that_day = habits.busiest * kUsualUnits;
    habits.usual =
        habits.days == 0 ? that_day : habits.usual + ((that_day - habits.usual) / kDayWeighs);
    habits.days = sum(habits.days, 1);
  }
  habits.busiest = 0;
  habits.strange = 0;
  const auto halves = static_cast<unsigned>(std::min(days_over, kForgottenInDays));
  habits.ended >>= halves;
  habits.unknown >>= halves;
}

void roll(Habits& habits, Instant now) {
  const std::int64_t hour = hour_of(now);
  if (hour <= habits.hour) return;
  habits.busiest = std::max(habits.busiest, habits.of_hour);
  habits.of_hour = 0;
  const std::int64_t days_over = (hour / kHoursADay) - (habits.hour / kHoursADay);
  if (days_over > 0) end_day(habits, days_over);
  habits.hour = hour;
}

bool is_young(const Habits& habits, const AnomalyLimits& limits, Instant now) {
  return is_new(habits) || now - habits.since < limits.young_for;
}

// Familiar ones stay before others, and who was seen lately before who was not.
void make_room(std::vector<Habits::Network>& networks) {
  if (networks.size() < Habits::kNetworksMax) return;
  networks.erase(std::ranges::min_element(networks, {}, [](const Habits::Network& network) {
    return std::tuple(network.familiar, network.last);
  }));
}

// Users of this machine come by its socket: from no network.
bool is_of_no_network(const net::IpAddress& client) {
  return client == net::client_of(net::IpAddress());
}

// Whether it is familiar.
bool see(Habits& habits, const net::IpAddress& client, bool young, Instant now) {
  if (is_of_no_network(client)) return true;
  auto found = std::ranges::find(habits.networks, client, &Habits::Network::client);
  if (found == habits.networks.end()) {
    make_room(habits.networks);
    habits.networks.push_back({.client = client, .first = now, .last = now, .familiar = young});
    return young;
  }
  found->last = std::max(found->last, now);
  found->familiar = found->familiar || young || now - found->first >= kStrangeFor;
  return found->familiar;
}

std::optional<Anomaly> judge_volume(const Habits& habits, const AnomalyLimits& limits,
                                    Instant now) {
  if (limits.volume_factor <= 0) return std::nullopt;
  const bool young = is_young(habits, limits, now);
  const std::int64_t floor =
      young ? std::max(limits.volume_floor, limits.young_volume_floor) : limits.volume_floor;
  const std::int64_t usual = habits.usual / kUsualUnits;
  if (habits.of_hour <= std::max(floor, limits.volume_factor * usual)) return std::nullopt;
  return Anomaly{
      AnomalyKind::volume,
      young ? fmt::format("{} recipients in this hour, and it is new", habits.of_hour)
            : fmt::format("{} recipients in this hour, where {} are usual", habits.of_hour, usual)};
}

std::optional<Anomaly> judge_networks(const Habits& habits, const AnomalyLimits& limits) {
  if (limits.new_network_recipients <= 0 || habits.strange < limits.new_network_recipients) {
    return std::nullopt;
  }
  std::string where = "networks";
  Instant last{};
  for (const Habits::Network& network : habits.networks) {
    if (network.familiar || network.last < last) continue;
    last = network.last;
    where = network.client.to_string();
  }
  return Anomaly{AnomalyKind::network,
                 fmt::format("{} recipients today from {}, where it never came from before",
                             habits.strange, where)};
}

std::optional<Anomaly> judge_outcomes(const Habits& habits, const AnomalyLimits& limits) {
  if (limits.unknown_users_percent <= 0 || habits.unknown < limits.unknown_users_min ||
      habits.unknown * 100 < limits.unknown_users_percent * habits.ended) {
    return std::nullopt;
  }
  return Anomaly{AnomalyKind::unknown_users,
                 fmt::format("{} of {} recipients are unknown to their receivers", habits.unknown,
                             habits.ended)};
}

Result<Habits> damaged() {
  return fail(ErrorKind::corrupt, "damaged habits of an SMTP credential in the store");
}

}  // namespace

void CredentialUse::add(const net::IpAddress& client, std::int64_t count) {
  const auto found = std::ranges::find_if(
      recipients, [&client](const auto& each) { return each.first == client; });
  if (found != recipients.end()) {
    found->second = sum(found->second, count);
  } else if (recipients.size() < Habits::kNetworksMax) {
    recipients.emplace_back(client, std::clamp<std::int64_t>(count, 0, kMost));
  } else {
    // Of so many networks at once it matters no more which they were.
    recipients.back().second = sum(recipients.back().second, count);
  }
}

void CredentialUse::add(const CredentialUse& more) {
  for (const auto& [client, count] : more.recipients) add(client, count);
  ended = sum(ended, more.ended);
  unknown = sum(unknown, more.unknown);
}

void absorb(Habits& habits, const CredentialUse& use, const AnomalyLimits& limits, Instant now) {
  roll(habits, now);
  habits.ended = sum(habits.ended, use.ended);
  habits.unknown = sum(habits.unknown, use.unknown);
  for (const auto& [client, count] : use.recipients) {
    const bool young = is_young(habits, limits, now);
    if (is_new(habits)) habits.since = now;
    if (!see(habits, client, young, now)) habits.strange = sum(habits.strange, count);
    habits.of_hour = sum(habits.of_hour, count);
  }
}

std::string_view to_string(AnomalyKind kind) {
  switch (kind) {
    case AnomalyKind::volume:
      return "volume";
    case AnomalyKind::network:
      return "network";
    case AnomalyKind::unknown_users:
      return "unknown_users";
  }
  return {};
}

std::optional<Anomaly> judge(const Habits& habits, const AnomalyLimits& limits, Instant now) {
  Habits at_now = habits;
  roll(at_now, now);
  auto anomaly = judge_volume(at_now, limits, now);
  if (!anomaly) anomaly = judge_networks(at_now, limits);
  if (!anomaly) anomaly = judge_outcomes(at_now, limits);
  return anomaly;
}

void forgive(Habits& habits, Instant released) {
  if (released <= habits.forgiven) return;
  habits.forgiven = released;
  habits.usual = std::max(habits.usual, std::max(habits.of_hour, habits.busiest) * kUsualUnits);
  for (Habits::Network& network : habits.networks) network.familiar = true;
  habits.strange = 0;
  habits.ended = 0;
  habits.unknown = 0;
}

std::string pack_habits(const Habits& habits) {
  std::string packed;
  store::put_varint(packed, kForm);
  for (const std::int64_t figure :
       {to_epoch_ms(habits.since), to_epoch_ms(habits.forgiven), habits.hour, habits.of_hour,
        habits.busiest, habits.usual, habits.days, habits.strange, habits.ended, habits.unknown}) {
    store::put_zigzag(packed, figure);
  }
  store::put_varint(packed, habits.networks.size());
  for (const Habits::Network& network : habits.networks) {
    store::put_text(packed, network.client.to_string());
    store::put_zigzag(packed, to_epoch_ms(network.first));
    store::put_zigzag(packed, to_epoch_ms(network.last));
    store::put_varint(packed, network.familiar ? 1 : 0);
  }
  return packed;
}

Result<Habits> unpack_habits(std::string_view packed) {
  Habits habits;
  if (packed.empty()) return habits;
  store::BlobReader in(packed);
  if (in.varint() != kForm) return damaged();
  habits.since = from_epoch_ms(in.zigzag());
  habits.forgiven = from_epoch_ms(in.zigzag());
  for (std::int64_t* const figure :
       {&habits.hour, &habits.of_hour, &habits.busiest, &habits.usual, &habits.days,
        &habits.strange, &habits.ended, &habits.unknown}) {
    *figure = in.zigzag();
    if (*figure < 0 || *figure > kMost * kUsualUnits) return damaged();
  }
  const std::uint64_t networks = in.varint();
  if (networks > Habits::kNetworksMax) return damaged();
  for (std::uint64_t i = 0; i < networks && !in.failed(); ++i) {
    const auto client = net::IpAddress::parse(in.text());
    if (!client) return damaged();
    Habits::Network& network = habits.networks.emplace_back();
    network.client = *client;
    network.first = from_epoch_ms(in.zigzag());
    network.last = from_epoch_ms(in.zigzag());
    network.familiar = in.varint() != 0;
  }
  if (in.failed() || !in.at_end()) return damaged();
  return habits;
}

}  // namespace todoku::relay
