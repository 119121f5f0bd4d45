// SPDX-License-Identifier: Apache-2.0
// The switches of todoku_unguarded: TODOKU_WITHOUT names the safeguard that is taken away.
#include "base/safeguard.h"

#include <cstdlib>
#include <string_view>

namespace todoku {
namespace {

std::string_view name_of(Safeguard safeguard) {
  switch (safeguard) {
    case Safeguard::token_checked:
      return "token_checked";
    case Safeguard::lapse_respected:
      return "lapse_respected";
    case Safeguard::unknown_commit_asked:
      return "unknown_commit_asked";
    case Safeguard::handover_waits:
      return "handover_waits";
    case Safeguard::open_transactions_awaited:
      return "open_transactions_awaited";
  }
  return {};
}

std::string_view taken_away() {
  const char* const name = std::getenv("TODOKU_WITHOUT");
  return name == nullptr ? std::string_view() : std::string_view(name);
}

}  // namespace

bool stands(Safeguard safeguard) {
  static const std::string_view without = taken_away();
  return without != name_of(safeguard);
}

}  // namespace todoku
