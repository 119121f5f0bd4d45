// SPDX-License-Identifier: Apache-2.0
// Letters of the deliveries at work, limited by bytes. A letter in use outlives its place here.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "async/task.h"
#include "base/result.h"
#include "delivery/key_ring.h"
#include "delivery/letter.h"
#include "delivery/options.h"
#include "store/store.h"

namespace todoku::delivery::courier {

// Thread-safe.
class LetterCache {
 public:
  LetterCache(store::Store& store, KeyRing& keys, const Options& options)
      : store_(store), keys_(keys), options_(options) {}

  // From memory, or read from the store and made. Two callers at once may both make it: the result
  // is the same. Errors: those of the store and of make_letter().
  Task<Result<std::shared_ptr<const Letter>>> letter(store::DeliveryKey delivery);

  [[nodiscard]] std::size_t bytes() const;

 private:
  using Entry = std::pair<store::DeliveryKey, std::shared_ptr<const Letter>>;

  std::shared_ptr<const Letter> find(store::DeliveryKey delivery);
  void keep(store::DeliveryKey delivery, std::shared_ptr<const Letter> letter);

  store::Store& store_;
  KeyRing& keys_;
  const Options& options_;
  mutable std::mutex mutex_;
  std::list<Entry> recent_;  // most recently used first
  std::unordered_map<store::DeliveryKey, std::list<Entry>::iterator> by_delivery_;
  std::size_t bytes_ = 0;
};

}  // namespace todoku::delivery::courier
