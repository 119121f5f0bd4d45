// SPDX-License-Identifier: Apache-2.0
// AUTH PLAIN (RFC 4616) and AUTH LOGIN with one user: what a scripted smarthost asks for.
#pragma once

#include <string>
#include <string_view>

#include "mail/reply.h"

namespace todoku::sink {

class Login {
 public:
  // Both must outlive this.
  Login(std::string_view user, std::string_view password) : user_(user), password_(password) {}

  // Answers "MECHANISM [initial response]".
  [[nodiscard]] Reply begin(std::string_view argument);
  // Answers the client's response to the latest challenge.
  [[nodiscard]] Reply respond(std::string_view base64);

 private:
  enum class Expects : unsigned char { plain, user, password };

  [[nodiscard]] Reply judge(bool right) const;

  std::string_view user_;
  std::string_view password_;
  Expects expects_ = Expects::plain;
  bool user_right_ = false;
};

}  // namespace todoku::sink
