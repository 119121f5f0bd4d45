// SPDX-License-Identifier: Apache-2.0
// For threads that must not end: what a piece of work throws becomes an Error, above all memory
// that was refused. Making that error needs no memory.
#pragma once

#include <exception>
#include <new>
#include <type_traits>

#include "base/log.h"
#include "base/result.h"

namespace todoku {

// Both texts fit into a string without memory of its own.
[[nodiscard]] inline Error out_of_memory() {
  return {ErrorKind::unavailable, "out of memory"};
}

// The Result of `work`.
template <class Work>
[[nodiscard]] std::invoke_result_t<Work&> caught(Work&& work) noexcept {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return fail(out_of_memory());
  } catch (const std::exception& thrown) {
    log::error("unexpected exception", {{"what", thrown.what()}});
    return fail(Error{ErrorKind::io, "internal error"});
  }
}

}  // namespace todoku
