// SPDX-License-Identifier: Apache-2.0
// What was freed and lies in holes between what is in use goes back to the system. glibc does that
// by itself only at the end of its heaps: after ten thousand TLS handshakes at once, say, half of
// what they took for a moment would stay with the process until it ends.
#pragma once

#include <cstdint>

namespace todoku::app {

struct MemoryUse {
  std::uint64_t resident = 0;  // octets of anonymous memory; 0: not known
  std::uint64_t in_use = 0;    // of these, allocated and not freed
};
// Whether there is enough to be worth the work, in which allocations of others wait some
// milliseconds.
[[nodiscard]] bool is_worth_returning(const MemoryUse& use);

// Does it where it is worth it. True: it was. For a thread that has nothing else to do.
bool return_free_memory();

}  // namespace todoku::app
