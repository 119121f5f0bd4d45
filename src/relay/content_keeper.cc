// SPDX-License-Identifier: Apache-2.0
#include "relay/content_keeper.h"

namespace todoku::relay {

Result<void> ContentKeeper::take(std::string& octets) {
  if (!room_.take(octets.size())) {
    return fail(ErrorKind::unavailable, "the messages that are under way fill their memory");
  }
  taken_ += octets.size();
  message_ += octets;
  octets.clear();
  return {};
}

void ContentKeeper::abandon() {
  message_ = {};
  room_.give_back(taken_);
  taken_ = 0;
}

}  // namespace todoku::relay
