// SPDX-License-Identifier: Apache-2.0
// Letters of the deliveries at work, limited by bytes. A letter in use outlives its place here.
#pragma once

#include <cstddef>
#include <memory>

#include "async/task.h"
#include "base/result.h"
#include "delivery/key_ring.h"
#include "delivery/letter.h"
#include "delivery/letter_shelf.h"
#include "delivery/options.h"
#include "store/store.h"

namespace todoku::delivery::courier {

// Thread-safe.
class LetterCache {
 public:
  LetterCache(store::Store& store, KeyRing& keys, const Options& options)
      : store_(store), keys_(keys), options_(options), shelf_(options.content_cache_bytes) {}

  // From memory, or read from the store and made. Two callers at once may both make it: the result
  // is the same. Errors: those of the store and of make_letter().
  Task<Result<std::shared_ptr<const Letter>>> letter(store::DeliveryKey delivery);

  // The weight of an account has changed, perhaps, and letters have it.
  void accounts_changed() { shelf_.clear(); }

  [[nodiscard]] std::size_t bytes() const { return shelf_.bytes(); }

 private:
  store::Store& store_;
  KeyRing& keys_;
  const Options& options_;
  LetterShelf shelf_;
};

}  // namespace todoku::delivery::courier
