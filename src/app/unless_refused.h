// SPDX-License-Identifier: Apache-2.0
// A start asks the system for threads and memory, which it may not give.
#pragma once

#include <new>
#include <system_error>
#include <type_traits>

#include <fmt/format.h>

#include "base/result.h"

namespace todoku::app {

// The Result of `step`; unavailable, with a sentence, if a thread or memory was refused.
template <class Step>
[[nodiscard]] std::invoke_result_t<const Step&> unless_refused(const Step& step) {
  try {
    return step();
  } catch (const std::system_error& error) {
    return fail(ErrorKind::unavailable,
                fmt::format("the system refuses a thread: {}; it allows too few processes and "
                            "threads (ulimit -u, TasksMax of systemd, pids of a container)",
                            error.what()));
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::unavailable, "there is too little memory");
  }
}

}  // namespace todoku::app
