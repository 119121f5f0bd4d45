// SPDX-License-Identifier: Apache-2.0
// What couriers tell the scheduler: which batches went forward, which were given back.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "store/types.h"

namespace todoku::delivery {

struct BatchProgress {
  store::BatchKey key;
  std::int64_t settled = 0;                      // recipients that need no memory any more
  std::int64_t parked = 0;                       // of these: given back untried
  std::optional<store::BatchReleased> released;  // set with the last of them
};

class ProgressListener {
 public:
  virtual ~ProgressListener() = default;
  // Called on any thread, mostly after a commit; must not block.
  virtual void progressed(std::vector<BatchProgress> progress) = 0;
};

}  // namespace todoku::delivery
