// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <optional>

#include "base/clock.h"
#include "delivery/work.h"
#include "smtp/client/awaited.h"

namespace todoku::delivery::egress {

// The mail that a connection is busy with, for whoever asks why nothing is told of it yet.
// Thread-safe.
class MailAtHand {
 public:
  struct Sight {
    SteadyInstant since{};
    smtp::Awaited::Sight awaited;
  };

  void begin(const store::RecipientKey& mail, SteadyInstant now) {
    const std::lock_guard lock(mutex_);
    mail_ = mail;
    since_ = now;
  }
  void end() noexcept {
    const std::lock_guard lock(mutex_);
    mail_.reset();
  }
  // nullopt: it is busy with another one, or with none.
  [[nodiscard]] std::optional<Sight> of(const store::RecipientKey& mail) const {
    const std::lock_guard lock(mutex_);
    if (mail_ != mail) return std::nullopt;
    return Sight{since_, awaited.get()};
  }

  smtp::Awaited awaited;

 private:
  mutable std::mutex mutex_;
  std::optional<store::RecipientKey> mail_;
  SteadyInstant since_{};
};

}  // namespace todoku::delivery::egress
