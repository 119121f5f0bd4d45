// SPDX-License-Identifier: Apache-2.0
// Returned mail of strangers: whatever it holds, its reading ends, is bounded, and what is found
// can be judged.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "feedback/parse/judged.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku::feedback::parse;
  using todoku::check;
  const auto bounce = read_bounce({reinterpret_cast<const char*>(data), size});
  if (!bounce) return 0;
  check(bounce->recipients.size() <= kRecipientsMax, "a bounce names so many at most");
  for (const ReturnedRecipient& each : bounce->recipients) {
    check(todoku::is_utf8(each.address), "an address is UTF-8");
    check(todoku::is_utf8(each.reply.text), "what was said is UTF-8");
    const Judged judged = judge(*bounce, &each);
    check(!judged.word.empty(), "each has a word");
  }
  return 0;
}
