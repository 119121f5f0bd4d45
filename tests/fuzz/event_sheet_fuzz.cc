// SPDX-License-Identifier: Apache-2.0
// Events as they lie in the store, and cursors as clients send them. Oracle: what is believed reads
// the same when it is written and read again; a place has one name only.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "store/event_sheet.h"

namespace todoku::store {
namespace {

void run(std::string_view input) {
  if (const auto entries = unpack_sheet(Instant{}, input)) {
    const auto again = unpack_sheet(Instant{}, pack_sheet(Instant{}, *entries));
    check(again.has_value(), "what was written can be read");
    check(*again == *entries, "and says the same");
  }
  if (const auto place = event_place(input)) {
    check(event_id(*place) == input, "a place is written in one way");
  }
}

}  // namespace
}  // namespace todoku::store

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  todoku::store::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
