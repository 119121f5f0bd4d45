// SPDX-License-Identifier: Apache-2.0
#include "relay/brakes.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "net/client_counts.h"
#include "relay/words.h"

namespace todoku::relay {
namespace {

// Whose limit it is, in the order of Brakes::limits().
constexpr std::array<std::string_view, 4> kOf{"credential", "account", "network", "listener"};
constexpr std::size_t kNetwork = 2;
constexpr std::size_t kListener = 3;

std::optional<Reply> reply_to(const std::optional<MinuteMeter::Excess>& excess,
                              std::string_view what, const Sender& sender) {
  if (!excess) return std::nullopt;
  const std::size_t which = excess->which;
  std::string_view of = kOf.at(which);
  if (which == 0 && sender.listener.is_for_devices()) of = "device";
  if (which == kNetwork && sender.user) of = "user";
  return words::too_fast({.what = what, .of = of, .is_ours = which == kListener}, excess->wait);
}

}  // namespace

Brakes::Limits Brakes::limits(const Sender& sender, Metered metered) const {
  const auto pick = [metered](const MinuteLimits& limits) {
    if (metered == Metered::messages) return limits.messages;
    if (metered == Metered::failures) {
      return std::min(limits.messages, INT64_MAX / kFailuresPerMessage) * kFailuresPerMessage;
    }
    return metered == Metered::recipients ? limits.recipients : limits.octets;
  };
  const store::SmtpCredentialSettings& terms = sender.login.credential.settings;
  const bool is_device = sender.listener.is_for_devices();
  const MinuteLimits own = is_device ? MinuteLimits{.messages = options_.device_messages_per_minute}
                                     : MinuteLimits{.messages = terms.messages_per_minute,
                                                    .recipients = terms.recipients_per_minute,
                                                    .octets = terms.octets_per_minute};
  // Most limits are not set, and need no name.
  const auto limit = [metered](std::int64_t most, char of, const auto& who) {
    return MinuteMeter::Limit{
        most > 0 ? fmt::format("{}{} {}", of, static_cast<int>(metered), who()) : std::string(),
        most};
  };
  const auto network = [&] {
    return sender.user ? fmt::format("uid {}", *sender.user)
                       : net::client_of(sender.client).to_string();
  };
  const auto account = [&] { return static_cast<std::int64_t>(sender.login.account.key); };
  const auto credential = [&]() -> std::string_view { return sender.login.credential.name; };
  const auto listener = [&]() -> std::string_view { return sender.listener.name; };
  return {{is_device ? limit(pick(own), 'd', network) : limit(pick(own), 'c', credential),
           limit(pick(options_.of_account), 'a', account),
           limit(pick(options_.of_network), 'n', network),
           limit(pick(sender.listener.per_minute), 'l', listener)}};
}

std::optional<Reply> Brakes::begin_message(const Sender& sender, std::uint64_t declared,
                                           SteadyInstant now) {
  const auto octets =
      static_cast<std::int64_t>(std::clamp<std::uint64_t>(declared, 1, INT64_MAX / 2));
  // Octets are counted as they come; a message that is not begun is none.
  auto held = reply_to(meter_.look(limits(sender, Metered::octets), octets, now), "octets", sender);
  if (held) return held;
  held =
      reply_to(meter_.look(limits(sender, Metered::failures), 1, now), "refused messages", sender);
  if (held) return held;
  return reply_to(meter_.admit(limits(sender, Metered::messages), 1, now), "messages", sender);
}

std::optional<Reply> Brakes::add_recipient(const Sender& sender, SteadyInstant now) {
  return reply_to(meter_.admit(limits(sender, Metered::recipients), 1, now), "recipients", sender);
}

void Brakes::give_back(const Sender& sender, const Counted& counted) {
  meter_.give_back(limits(sender, Metered::messages), 1, counted.message_at);
  if (counted.recipients == 0) return;
  meter_.give_back(limits(sender, Metered::recipients), counted.recipients,
                   counted.recipients_from);
}

void Brakes::count_failure(const Sender& sender, SteadyInstant now) {
  meter_.count(limits(sender, Metered::failures), 1, now);
}

void Brakes::count_octets(const Sender& sender, std::uint64_t octets, SteadyInstant now) {
  meter_.count(limits(sender, Metered::octets), static_cast<std::int64_t>(octets), now);
}

}  // namespace todoku::relay
