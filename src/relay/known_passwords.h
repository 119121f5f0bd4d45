// SPDX-License-Identifier: Apache-2.0
// Passwords that were right a short time ago, so that a client that opens a connection for each
// mail costs ten thousand rounds of a hash once. What is remembered is a code of the password and
// of all that was kept of it when it was right, under a key that never leaves this process: no
// password can be read or guessed from it elsewhere, and a password that was changed is not known
// any more.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "mail/scram_secrets.h"

namespace todoku::relay {

// Thread-safe.
class KnownPasswords {
 public:
  static constexpr Milliseconds kRememberedFor = std::chrono::minutes(10);
  static constexpr std::size_t kPasswordsMax = 10'000;  // beyond it all are forgotten
  using Mark = std::string;

  explicit KnownPasswords(const Clock& clock);

  // Stands for `password` where these secrets count.
  [[nodiscard]] Mark mark_of(std::span<const ScramSecrets> secrets,
                             std::string_view password) const;
  // It was right, by the `which`-th of the secrets.
  void remember(Mark mark, std::size_t which = 0);
  // Which of them it is; nothing: it is not known.
  [[nodiscard]] std::optional<std::size_t> knows(const Mark& mark);
  void forget();

 private:
  struct Known {
    SteadyInstant until{};
    std::size_t which = 0;
  };
  const Clock& clock_;
  const std::string key_;
  std::mutex mutex_;
  std::unordered_map<Mark, Known> known_;
};

}  // namespace todoku::relay
