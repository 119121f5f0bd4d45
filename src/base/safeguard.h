// SPDX-License-Identifier: Apache-2.0
// What keeps two processes from doing the same, as switches for benchmark `chaos`, which shows that
// each is needed. In the engine they are constants, and what stands behind them is compiled away:
// only todoku_unguarded (bench/CMakeLists.txt), which nobody installs, is built with
// TODOKU_UNGUARDED. Its list of sources is that of the files that include this; no header may, or
// the two would get mixed.
#pragma once

#include <cstdint>

namespace todoku {

enum class Safeguard : std::uint8_t {
  token_checked,              // by the store, when a batch is released
  lapse_respected,            // by a node, before it begins a mail
  unknown_commit_asked,       // by the store, before it performs something once more
  handover_waits,             // by a courier: a source is given up when nothing of it is in hand
  open_transactions_awaited,  // by readers of events: what may gain one is not read yet
};

#ifdef TODOKU_UNGUARDED
[[nodiscard]] bool stands(Safeguard safeguard);
#else
[[nodiscard]] constexpr bool stands(Safeguard /*safeguard*/) {
  return true;
}
#endif

}  // namespace todoku
