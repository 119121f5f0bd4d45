// SPDX-License-Identifier: Apache-2.0
// A message on its way into the store. What is small is kept in memory until it is committed with
// everything else of it; what is larger goes to the store in pieces as it comes, so that a message
// of any size takes the memory of one piece.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "async/task.h"
#include "base/result.h"
#include "store/store.h"

namespace todoku::relay {

// For one message at a time, on one executor.
class ContentKeeper {
 public:
  explicit ContentKeeper(store::Store& store) : store_(store) {}

  // The next octets of the message; `octets` is empty afterwards, its memory stays. `node`: whose
  // process this is. Errors: those of the store; the message is lost then.
  [[nodiscard]] Task<Result<void>> take(std::string& octets, store::NodeKey node);
  // After the last of them. What was kept is the caller's, who hands it to Accept or drops it.
  [[nodiscard]] Task<Result<store::RelayedContent>> finish(store::NodeKey node);
  // The message will not be: nothing of it stays in memory. What this returns is to be dropped.
  [[nodiscard]] std::optional<store::RelayedKey> abandon();

  [[nodiscard]] std::uint64_t octets() const { return octets_; }

 private:
  [[nodiscard]] Task<Result<void>> put(std::string piece, store::NodeKey node);

  store::Store& store_;
  std::string waiting_;  // less than a piece
  std::optional<store::RelayedKey> key_;
  std::int64_t pieces_ = 0;
  std::uint64_t octets_ = 0;
};

// Takes what was abandoned out of the store again. What that fails at is purged later.
[[nodiscard]] Task<void> drop_content(store::Store& store, store::RelayedKey key);

}  // namespace todoku::relay
