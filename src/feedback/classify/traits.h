// SPDX-License-Identifier: Apache-2.0
// What is true of every failure with the same cause.
#pragma once

#include "feedback/classify/meaning.h"

namespace todoku::feedback::classify {

struct Traits {
  enum class Ends : std::uint8_t {
    by_answer,  // as the reply's code says, or who found it
    temporary,  // whatever the code
    permanent,
  };

  Cause cause = Cause::none;
  Whose whose = Whose::nobody;
  Ends ends = Ends::by_answer;
  NextStep again = NextStep::retry;  // while it is not over
  bool is_attempt = true;
};

// Of a number that this version does not know: those of Cause::unclear.
[[nodiscard]] const Traits& traits_of(Cause cause);

}  // namespace todoku::feedback::classify
