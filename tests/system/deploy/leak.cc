// SPDX-License-Identifier: Apache-2.0
// A fault for the rehearsal: preloaded into a program (ld.so(8)) it takes and touches memory, 8 MiB
// every 100 ms, until somebody ends it.
#include <cstddef>
#include <cstring>
#include <thread>

#include <unistd.h>

namespace {

[[maybe_unused]] const bool kLeaks = [] {
  std::thread([] {
    for (;;) {
      constexpr std::size_t kPiece = std::size_t{8} << 20;
      // Volatile, or the compiler sees that nobody reads it and leaves it all out.
      char* volatile const piece = new char[kPiece];
      std::memset(piece, 1, kPiece);
      usleep(100'000);
    }
  }).detach();
  return true;
}();

}  // namespace
