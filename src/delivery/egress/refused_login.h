// SPDX-License-Identifier: Apache-2.0
// The login that a lane's smarthost has refused. It is not tried again before its time, because an
// account is locked after wrong passwords; another one, mended meanwhile, is tried at once. So the
// lane looks again for what it logs in with much oftener than it may try the same.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "mail/client_login.h"

namespace todoku::delivery::egress {

class RefusedLogin {
 public:
  // How long the lane rests before it looks whether what it logs in with has changed.
  static constexpr std::chrono::seconds kLookAgain{10};

  using Login = std::shared_ptr<const ClientLogin>;

  // `login` null: there was none to try, so that it could not be logged in.
  void refused(Login login, SteadyInstant until) {
    login_ = std::move(login);
    until_ = until;
  }
  void forget() { login_.reset(); }
  // `login` null: there is none. What there was not bars nothing else.
  [[nodiscard]] bool bars(const Login& login, SteadyInstant now) const {
    if (!login_ || now >= until_) return false;
    const Login& known = *login_;
    if (known == nullptr || login == nullptr) return known == login;
    return login->user == known->user && login->password == known->password;
  }
  // A lane that is made anew would know nothing of it.
  [[nodiscard]] bool holds(SteadyInstant now) const { return login_ && now < until_; }
  [[nodiscard]] SteadyInstant until() const { return until_; }

 private:
  std::optional<Login> login_;  // nullopt: none was refused
  SteadyInstant until_{};
};

}  // namespace todoku::delivery::egress
