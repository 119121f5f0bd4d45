// SPDX-License-Identifier: Apache-2.0
#include "app/free_memory.h"

#include <algorithm>
#include <fstream>
#include <new>
#include <string>

#include <malloc.h>

namespace todoku::app {
namespace {

constexpr std::uint64_t kWorthIt = 64ULL << 20U;
constexpr std::uint64_t kBroughtSomething = kWorthIt / 4;

// Cheap beside asking the allocator, which goes through all that is free.
std::uint64_t resident_anonymous() try {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::uint64_t kilobytes = 0;
    if (word == "RssAnon:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
} catch (const std::bad_alloc&) {
  return 0;  // there is a next time
}

}  // namespace

bool is_worth_returning(const MemoryUse& use) {
  return use.resident >= kWorthIt && use.resident - kWorthIt >= use.in_use;
}

void ReturnPace::note(std::uint64_t before, std::uint64_t after, SteadyInstant now) {
  const bool fell = after > 0 && before > after && before - after >= kBroughtSomething;
  wait_ = fell ? kAtFirst : std::min(wait_ * 2, kAtMost);
  next_ = now + wait_;
}

bool return_free_memory(ReturnPace& pace, SteadyInstant now) {
  if (!pace.is_due(now)) return false;
  MemoryUse use{.resident = resident_anonymous()};
  if (!is_worth_returning(use)) return false;
  const struct mallinfo2 info = ::mallinfo2();
  use.in_use = info.uordblks + info.hblkhd;
  if (!is_worth_returning(use)) return false;
  ::malloc_trim(0);
  pace.note(use.resident, resident_anonymous(), now);
  return true;
}

}  // namespace todoku::app
