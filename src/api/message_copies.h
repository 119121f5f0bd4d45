// SPDX-License-Identifier: Apache-2.0
// Who can show a recipient's message again. Implemented where mail is composed (app/).
#pragma once

#include <string>

#include "async/task.h"
#include "base/result.h"
#include "store/keys.h"

namespace todoku::api {

class MessageCopies {
 public:
  virtual ~MessageCopies() = default;
  // The octets as sent. Errors: not_found, conflict (nothing of it was made yet), unsupported (it
  // cannot be made as it was any more: of what was erased, or without its key), limit_exceeded
  // (none could be made), cancelled (it was stopped before one was made), and those of the store.
  [[nodiscard]] virtual Task<Result<std::string>> copy(store::AccountKey account,
                                                       store::PublicId email_id) = 0;
};

}  // namespace todoku::api
