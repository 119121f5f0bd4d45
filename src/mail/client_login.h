// SPDX-License-Identifier: Apache-2.0
// As whom this installation logs in at a host of somebody else's (RFC 4954).
#pragma once

#include <string>

#include "base/wipe.h"

namespace todoku {

struct ClientLogin {
  std::string user;     // 1 to 255 octets of UTF-8 without NUL
  SecretText password;  // 1 to 1024 octets likewise
};

}  // namespace todoku
