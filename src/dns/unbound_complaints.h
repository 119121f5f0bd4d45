// SPDX-License-Identifier: Apache-2.0
// What libunbound complains of: the only place where it tells that it had no file or memory to ask
// with, for its answer is then the same SERVFAIL as a name server's.
#pragma once

#include <cstdint>
#include <cstdio>

namespace todoku::dns {

// For ub_ctx_debugout(). One for the process, as libunbound's log is; nullptr if there is no memory
// for it.
[[nodiscard]] std::FILE* unbound_complaints();

// How often libunbound has complained of a want of our own (files, ports, memory). Thread-safe.
[[nodiscard]] std::uint64_t unbound_shortages();

}  // namespace todoku::dns
