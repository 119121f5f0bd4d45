// SPDX-License-Identifier: Apache-2.0
// Whether the smarthost of a source takes its mail, as far as one connection without a mail tells:
// reached, TLS as asked for, logged in.
#pragma once

#include <string>

#include "doctor/finding.h"
#include "mail/attempt.h"

namespace todoku::doctor {

// How a connection to it went.
struct SmarthostTry {
  std::string source;
  std::string host;  // "smtp.example.com:587"
  bool ready = false;
  bool logs_in = false;       // it was to
  Stage stage = Stage::none;  // where it ended, unless it is ready
  std::string said;           // by whom: the host with a code, or ourselves; or how good its TLS is
};

[[nodiscard]] Finding smarthost_finding(const SmarthostTry& tried);

}  // namespace todoku::doctor
