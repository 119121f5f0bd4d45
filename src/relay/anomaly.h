// SPDX-License-Identifier: Apache-2.0
// What a credential usually does, and whether it does so now. Three things speak of one that was
// stolen, or of a program gone wild: much more mail than usual, mail from a network where it never
// was, and addresses that nobody has. Pure: uses and `now` in, a verdict out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/network.h"

namespace todoku::relay {

struct AnomalyLimits {
  // Recipients in an hour, as a multiple of what the busiest hours of its days have; 0: not looked
  // at. Up to the floor it is never too much.
  std::int64_t volume_factor = 10;
  std::int64_t volume_floor = 1'000;
  // For so long nothing is usual yet, and the floor is another.
  Milliseconds young_for = std::chrono::days(7);
  std::int64_t young_volume_floor = 100'000;
  // Recipients of a day (UTC) from networks that it came to know less than a day ago; 0: not looked
  // at.
  std::int64_t new_network_recipients = 1'000;
  // Of recipients whose outcome is known those that their receivers do not know; 0: not looked at.
  std::int64_t unknown_users_percent = 30;
  std::int64_t unknown_users_min = 100;  // fewer are no share yet
};

// What was done, and is not in anybody's Habits yet. Adding up: of several processes, too.
struct CredentialUse {
  std::vector<std::pair<net::IpAddress, std::int64_t>> recipients;  // by client (net::client_of)
  std::int64_t ended = 0;    // recipients delivered or bounced
  std::int64_t unknown = 0;  // of these: no such user
  [[nodiscard]] bool empty() const { return recipients.empty() && ended == 0; }
  void add(const net::IpAddress& client, std::int64_t count);
  void add(const CredentialUse& more);
};

// Of one credential.
struct Habits {
  static constexpr std::size_t kNetworksMax = 32;

  struct Network {
    net::IpAddress client;
    Instant first{};
    Instant last{};
    bool familiar = false;
    friend bool operator==(const Network&, const Network&) = default;
  };
  Instant since{};           // its first mail
  Instant forgiven{};        // the newest release that is taken in
  std::int64_t hour = 0;     // which it is, from 1970
  std::int64_t of_hour = 0;  // recipients in it
  std::int64_t busiest = 0;  // of the hours of its day that are over
  std::int64_t usual = 0;    // exponential average of these, over days with mail; in kUsualUnits
  std::int64_t days = 0;     // that it is of
  std::int64_t strange = 0;  // recipients of this day from networks that are not familiar
  std::int64_t ended = 0;    // half of it is forgotten each day
  std::int64_t unknown = 0;  // likewise
  std::vector<Network> networks;  // those seen last; familiar ones stay before others
  friend bool operator==(const Habits&, const Habits&) = default;
};

// Takes in what was done until now. A clock that goes back changes no hour.
void absorb(Habits& habits, const CredentialUse& use, const AnomalyLimits& limits, Instant now);

enum class AnomalyKind : std::uint8_t { volume, network, unknown_users };
[[nodiscard]] std::string_view to_string(AnomalyKind kind);

struct Anomaly {
  AnomalyKind kind{};
  std::string because;  // for its owner: one clause of ASCII, with the figures
};
// Of what was absorbed until now.
[[nodiscard]] std::optional<Anomaly> judge(const Habits& habits, const AnomalyLimits& limits,
                                           Instant now);

// Somebody who knows has released it at that instant: what it did is its habit from now on. Again
// for the same release: nothing.
void forgive(Habits& habits, Instant released);

[[nodiscard]] std::string pack_habits(const Habits& habits);
// Of nothing: those of a new credential. Errors: corrupt.
[[nodiscard]] Result<Habits> unpack_habits(std::string_view packed);

}  // namespace todoku::relay
