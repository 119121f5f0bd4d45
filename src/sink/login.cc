// SPDX-License-Identifier: Apache-2.0
#include "sink/login.h"

#include "base/bytes.h"

namespace todoku::sink {

Reply Login::begin(std::string_view argument) {
  const std::size_t blank = argument.find(' ');
  const bool plain = equals_ignoring_case(argument.substr(0, blank), "PLAIN");
  expects_ = plain ? Expects::plain : Expects::user;
  if (blank != std::string_view::npos) return respond(trim(argument.substr(blank + 1)));
  return {334, plain ? "" : to_base64("Username:")};
}

Reply Login::respond(std::string_view base64) {
  const auto text = from_base64(base64);
  if (!text) return {501, "5.5.2 Not base64"};
  switch (expects_) {
    case Expects::plain: {
      const std::size_t user = text->find('\0') + 1;
      const std::size_t password = text->find('\0', user) + 1;
      if (user == 0 || password == 0) return {501, "5.5.2 Not a PLAIN response"};
      return judge(text->substr(user, password - user - 1) == user_ &&
                   text->substr(password) == password_);
    }
    case Expects::user:
      user_right_ = *text == user_;
      expects_ = Expects::password;
      return {334, to_base64("Password:")};
    case Expects::password:
      break;
  }
  return judge(user_right_ && *text == password_);
}

Reply Login::judge(bool right) const {
  if (right) return {235, "2.7.0 Authentication successful"};
  return {535, "5.7.8 Authentication credentials invalid"};
}

}  // namespace todoku::sink
