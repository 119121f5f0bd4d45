// SPDX-License-Identifier: Apache-2.0
// Who asks the DNS for the commands that judge mail (cli/mail_checks.h). Implemented by `app`.
#pragma once

#include <string>

#include "async/task.h"
#include "base/result.h"
#include "dns/resolver.h"

namespace todoku::cli {

class CheckResolver {
 public:
  // Nothing may run on the executor any more.
  virtual ~CheckResolver() = default;
  [[nodiscard]] virtual dns::Resolver& resolver() = 0;
  // The names of the servers of a zone. Errors as of dns::Resolver.
  [[nodiscard]] virtual Task<Result<dns::Answer<std::string>>> name_servers(std::string zone) = 0;
  // Of a thread that runs as long as this object lives.
  [[nodiscard]] virtual async::Executor executor() = 0;
};

}  // namespace todoku::cli
