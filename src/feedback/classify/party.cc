// SPDX-License-Identifier: Apache-2.0
#include "feedback/classify/party.h"

#include "feedback/classify/reply_rules.h"

namespace todoku::feedback::classify {

Party party_of(std::string_view words) {
  return reply_rules_in_force().party_of(words);
}

}  // namespace todoku::feedback::classify
