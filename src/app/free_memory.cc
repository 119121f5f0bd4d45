// SPDX-License-Identifier: Apache-2.0
#include "app/free_memory.h"

#include <fstream>
#include <new>
#include <string>

#include <malloc.h>

namespace todoku::app {
namespace {

constexpr std::uint64_t kWorthIt = 64ULL << 20U;

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

bool return_free_memory() {
  MemoryUse use{.resident = resident_anonymous()};
  if (!is_worth_returning(use)) return false;
  const struct mallinfo2 info = ::mallinfo2();
  use.in_use = info.uordblks + info.hblkhd;
  if (!is_worth_returning(use)) return false;
  ::malloc_trim(0);
  return true;
}

}  // namespace todoku::app
