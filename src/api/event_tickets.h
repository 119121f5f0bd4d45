// SPDX-License-Identifier: Apache-2.0
// Tickets for who cannot send a header, as a browser's EventSource: taken with a token, good for
// one request of the next minute, and of no use to whoever finds it in a log. They are this
// process's own.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "store/keys.h"

namespace todoku::api {

inline constexpr Milliseconds kTicketLife = std::chrono::seconds(60);

// Thread-safe.
class EventTickets {
 public:
  // For who was let in by this header. nullopt: this account has as many as it may have.
  [[nodiscard]] std::optional<std::string> issue(store::AccountKey account,
                                                 std::string authorization, SteadyInstant now);
  // The header that the ticket stands for, once. nullopt: there is no such ticket, or no more.
  [[nodiscard]] std::optional<std::string> redeem(std::string_view ticket, SteadyInstant now);

 private:
  struct Ticket {
    store::AccountKey account{};
    std::string authorization;
    SteadyInstant until{};
  };
  void forget_old(SteadyInstant now);

  std::mutex mutex_;
  std::map<std::string, Ticket, std::less<>> tickets_;
  std::map<store::AccountKey, std::size_t> held_;
};

}  // namespace todoku::api
