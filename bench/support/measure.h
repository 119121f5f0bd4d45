// SPDX-License-Identifier: Apache-2.0
// What benchmarks of the store have in common.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "base/result.h"

namespace todoku {

// Without it there is nothing to measure.
template <class T>
T must(Result<T> result) {
  if (!result) {
    fmt::print(stderr, "{}: {}\n", to_string(result.error().kind), result.error().detail);
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// Processor time of this thread, in microseconds.
template <class Run>
double cpu_us(const Run& run) {
  timespec began{};
  timespec ended{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &began);
  run();
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ended);
  return static_cast<double>(ended.tv_sec - began.tv_sec) * 1e6 +
         static_cast<double>(ended.tv_nsec - began.tv_nsec) / 1e3;
}

}  // namespace todoku
