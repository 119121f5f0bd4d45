// SPDX-License-Identifier: Apache-2.0
// For the API: messages composed again where they are composed for sending.
#pragma once

#include <string>
#include <utility>

#include "api/message_copies.h"
#include "delivery/message_copies.h"

namespace todoku::app {

class ComposedCopies final : public api::MessageCopies {
 public:
  // What is given outlives it.
  ComposedCopies(store::Store& store, delivery::KeyRing& keys, delivery::Options options)
      : copies_(store, keys, std::move(options)) {}

  [[nodiscard]] Task<Result<std::string>> copy(store::AccountKey account,
                                               store::PublicId email_id) override {
    return copies_.copy(account, email_id);
  }

 private:
  delivery::MessageCopies copies_;
};

}  // namespace todoku::app
