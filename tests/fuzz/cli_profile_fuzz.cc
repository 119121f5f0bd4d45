// SPDX-License-Identifier: Apache-2.0
// The profiles of senders: whatever a file holds, it is read within its bounds; and what was read
// is the same once it was written.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "cli/profile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = todoku::cli::parse_profiles(text);
  if (!read) return 0;
  todoku::check(read->size() <= todoku::cli::kProfilesMax, "no more than may be");
  const auto again = todoku::cli::parse_profiles(todoku::cli::print_profiles(*read));
  todoku::check(again.has_value() && *again == *read, "it is the same when it was written");
  return 0;
}
