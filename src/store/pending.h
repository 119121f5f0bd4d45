// SPDX-License-Identifier: Apache-2.0
// A hot operation (store/work.h) on its way through a back end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <new>
#include <span>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "store/store.h"

namespace todoku::store {

template <class Op>
struct Pending {
  using Operation = Op;
  Op op;
  Answered<Op> done;
  Result<typename Op::Answer> answer;
  std::size_t octets = 0;  // memory that it holds while it waits, where that may be much
  SteadyInstant since{};   // when it was handed over, where that is of interest
};

// Items that are taken together. An operation answers each in its place; it fails as a whole only
// when the engine below it refuses, and has then changed nothing that is kept.
template <class Op>
using Together = std::span<Pending<Op>* const>;

// For one more who is told so. Its kind says what may be done next: it is told without memory, too.
[[nodiscard]] inline Error shared_error(const Error& error) noexcept {
  try {
    return error;
  } catch (const std::bad_alloc&) {
    return {error.kind, {}};
  }
}

// Runs `run(items)`, which does all or fails as a whole. After a failure it is repeated in halves,
// until the item that the engine refuses stands alone and is told so. `lost()`: there is nothing
// left to be repeated in, everybody shares the failure.
template <class Op, class Run, class Lost>
void in_halves(Together<Op> items, const Run& run, const Lost& lost) {
  if (items.empty()) return;
  const Result<void> done = run(items);
  if (done) return;
  if (items.size() == 1 || lost()) {
    for (Pending<Op>* const item : items) item->answer = fail(shared_error(done.error()));
    return;
  }
  const std::size_t half = items.size() / 2;
  in_halves<Op>(items.first(half), run, lost);
  in_halves<Op>(items.subspan(half), run, lost);
}

}  // namespace todoku::store
