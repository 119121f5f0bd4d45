// SPDX-License-Identifier: Apache-2.0
#include "dns/unbound_complaints.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <string_view>

#include <sys/types.h>

namespace todoku::dns {
namespace {

std::atomic<std::uint64_t> shortages_told{0};

bool tells_of_a_shortage(std::string_view line) {
  // EMFILE and ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL in the words of strerror(), and libunbound's
  // own.
  constexpr std::array<std::string_view, 6> kWords = {
      "Too many open files",    "No buffer space available",
      "Cannot allocate memory", "Cannot assign requested",
      "malloc failure",         "out of memory"};
  return std::ranges::any_of(kWords, [&](std::string_view words) { return line.contains(words); });
}

// A line each: the stream is line-buffered. Called under libunbound's lock.
ssize_t hear(void* /*cookie*/, const char* octets, std::size_t count) {
  if (tells_of_a_shortage({octets, count})) shortages_told.fetch_add(1, std::memory_order_relaxed);
  return static_cast<ssize_t>(count);
}

}  // namespace

std::FILE* unbound_complaints() {
  static std::FILE* const stream = [] {
    std::FILE* const made = ::fopencookie(nullptr, "w", {.write = &hear});
    if (made != nullptr) std::setvbuf(made, nullptr, _IOLBF, BUFSIZ);
    return made;
  }();
  return stream;
}

std::uint64_t unbound_shortages() {
  return shortages_told.load(std::memory_order_relaxed);
}

}  // namespace todoku::dns
