// SPDX-License-Identifier: Apache-2.0
// For a test program: whoever wants memory from C++ is looked at first, and may be refused it.
// Included by one file of the program, which defines before_memory_is_given().
//
// ThreadSanitizer has operators of its own: there nobody is asked, and
// TODOKU_MEMORY_IS_NEVER_REFUSED is defined.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

namespace todoku {

// Each piece, on the thread that wants it. May throw std::bad_alloc.
void before_memory_is_given(std::size_t octets);

}  // namespace todoku

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TODOKU_MEMORY_IS_NEVER_REFUSED
#endif
#endif
#ifndef TODOKU_MEMORY_IS_NEVER_REFUSED
void* operator new(std::size_t size) {
  todoku::before_memory_is_given(size);
  if (void* got = std::malloc(size)) return got;
  throw std::bad_alloc();
}
void operator delete(void* given) noexcept {
  std::free(given);
}
void operator delete(void* given, std::size_t) noexcept {
  std::free(given);
}
// ASan's do not come by those above.
void* operator new[](std::size_t size) {
  return operator new(size);
}
void operator delete[](void* given) noexcept {
  std::free(given);
}
void operator delete[](void* given, std::size_t) noexcept {
  std::free(given);
}
#endif
