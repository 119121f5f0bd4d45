// SPDX-License-Identifier: Apache-2.0
// How the tools reach the operations of an installation: over the admin socket of a running engine,
// or, when it is stopped, in this process under the store's lock. They cannot tell which.
#pragma once

#include <string>

#include "base/result.h"

namespace todoku::cli {

struct AdminRequest {
  std::string method = "GET";
  std::string target;  // path and query, encoded: "/accounts/shop/keys"
  std::string body;    // JSON or empty
};

struct AdminAnswer {
  int status = 0;
  std::string body;  // JSON; on a failure {"error": "<sentence>"}
  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
};

class AdminPort {
 public:
  virtual ~AdminPort() = default;
  // Errors: those of reaching the operations at all.
  [[nodiscard]] virtual Result<AdminAnswer> call(AdminRequest request) = 0;
  // True if an engine is running behind this port.
  [[nodiscard]] virtual bool engine_running() const = 0;
};

}  // namespace todoku::cli
