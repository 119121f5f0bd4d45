// SPDX-License-Identifier: Apache-2.0
// Who reads the events of the whole installation and does something about them once, or goes
// through all of it now and then: a row with a name, which is one node's at a time, and keeps how
// far it has come and what waits. What is done
// about an event and the step past it are one commit.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/keys.h"

namespace todoku::store {

// Of what a reader keeps.
inline constexpr std::size_t kEventReaderStateMax = std::size_t{256} * 1024;

[[nodiscard]] inline Result<void> check_reader_state(std::string_view state) {
  if (state.size() <= kEventReaderStateMax) return {};
  return fail(ErrorKind::invalid_input, "what a reader of events keeps is too long");
}

[[nodiscard]] inline std::unexpected<Error> reads_elsewhere() {
  return fail(ErrorKind::conflict, "another process reads these events");
}

class EventReaderWrites {
 public:
  virtual ~EventReaderWrites() = default;
  // Takes it, unless another node that lives has it: conflict. What it kept; empty at the very
  // first.
  [[nodiscard]] virtual Result<std::string> take_event_reader(NodeKey node,
                                                              std::string_view name) = 0;
  // conflict: it is not the node's (any more), and nothing of this transaction is to be.
  // invalid_input: more than kEventReaderStateMax.
  [[nodiscard]] virtual Result<void> save_event_reader(NodeKey node, std::string_view name,
                                                       std::string_view state) = 0;
  // Nothing happens if it is another's.
  [[nodiscard]] virtual Result<void> give_event_reader(NodeKey node, std::string_view name) = 0;
};

}  // namespace todoku::store
