// SPDX-License-Identifier: Apache-2.0
// People who sign in at the console, as operators of the machine look after them: by the command
// line, also where no mail goes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/wipe.h"
#include "store/people.h"

namespace todoku::operate {

struct PersonRow {
  store::Person person;
  std::string account;  // empty of operators
};

struct NewPersonWish {
  std::string account;  // empty: an operator
  std::string email;
  std::string name;      // empty: the address
  std::string role;      // "owner"; of operators empty or "operator"
  std::string language;  // "ja" or "en"
};

// A link to hand over: shown once.
struct PersonLink {
  SecretText url;
  Instant end{};
  std::string email;  // empty: whoever has it becomes an operator
};

}  // namespace todoku::operate
