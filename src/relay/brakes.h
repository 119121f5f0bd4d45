// SPDX-License-Identifier: Apache-2.0
// Limits of a minute: of messages, of those that fail, of recipients and of octets; of a
// credential, its account, the network that it comes from (of users of this machine the user) and
// the listener that it came to. Each process counts what came to itself. Pure but for the meter's
// lock; times are given.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/minute_meter.h"
#include "mail/reply.h"
#include "net/network.h"
#include "relay/logins.h"
#include "relay/options.h"

namespace todoku::relay {

// Who sends, and by which way.
struct Sender {
  const Login& login;
  const ListenerOptions& listener;
  const net::IpAddress& client;
  std::optional<std::uint32_t> user = {};  // of this machine, in place of a network
};

// Thread-safe.
class Brakes {
 public:
  // What a message has taken of its minutes before it is kept.
  struct Counted {
    SteadyInstant message_at{};
    std::int64_t recipients = 0;
    SteadyInstant recipients_from{};  // when the first of them was counted
  };

  // Both outlive it.
  Brakes(const RelayOptions& options, MinuteMeter& meter) : options_(options), meter_(meter) {}

  // So many messages may fail for each that may be taken.
  static constexpr std::int64_t kFailuresPerMessage = 4;

  // A message begins, of so many octets if the client has said so (RFC 1870), else 0. The reply:
  // why not now, and when.
  [[nodiscard]] std::optional<Reply> begin_message(const Sender& sender, std::uint64_t declared,
                                                   SteadyInstant now);
  [[nodiscard]] std::optional<Reply> add_recipient(const Sender& sender, SteadyInstant now);
  // Of a message that was begun and is not taken after all: what it counted is for others to use,
  // as far as its minutes are not over. Its octets have come, and stay counted. Of one that was
  // refused for good after its content see count_failure().
  void give_back(const Sender& sender, const Counted& counted);
  // A message came and was refused for good. It uses up nothing of what may be taken, but costs as
  // much to read: kFailuresPerMessage times the limit of messages in a minute, and none begins.
  void count_failure(const Sender& sender, SteadyInstant now);
  // Of a message that has begun: it is not cut off for that, but the next one waits.
  void count_octets(const Sender& sender, std::uint64_t octets, SteadyInstant now);

 private:
  enum class Metered : std::uint8_t { messages, recipients, octets, failures };
  using Limits = std::array<MinuteMeter::Limit, 4>;
  [[nodiscard]] Limits limits(const Sender& sender, Metered metered) const;

  const RelayOptions& options_;
  MinuteMeter& meter_;
};

}  // namespace todoku::relay
