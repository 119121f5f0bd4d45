// SPDX-License-Identifier: Apache-2.0
// A message that is relayed: any octets are refused, or go on as they came behind the added fields,
// each of which stands there as a field of its own.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "delivery/letter_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku;
  using namespace todoku::delivery;
  const std::string octets(reinterpret_cast<const char*>(data), size);
  const RelayedMessage::Options options{
      .added = {{.name = "Received", .value = "from a\r\n by b"},
                {.name = "Date", .value = "now", .only_if_missing = true}}};
  auto built = RelayedMessage::build(octets, options);
  // In slices, cut anywhere, the same is found.
  RelayedScan scan;
  Result<void> sound;
  for (std::size_t at = 0; sound && at < octets.size();) {
    const std::size_t length = 1 + data[at] % 5U;
    sound = scan.update(std::string_view(octets).substr(at, length));
    at += length;
  }
  auto scanned = sound ? scan.finish(options) : Result<RelayedMessage>(fail(sound.error()));
  check(built.has_value() == scanned.has_value(), "slices are refused as the whole is");
  if (built) {
    check(built->head() == scanned->head() && built->size() == scanned->size() &&
              built->has_leading_dot() == scanned->has_leading_dot() &&
              built->is_eight_bit() == scanned->is_eight_bit() &&
              built->has_long_line() == scanned->has_long_line(),
          "slices are the message");
  }
  if (!built) {
    check(!built.error().detail.empty(), "a refusal has a reason");
    return 0;
  }
  const LetterMessage letter(std::move(*built));
  OutgoingMessage message;
  letter.begin({}, message);
  std::string all(message.head());
  for (const std::string_view piece : message.body()) all += piece;
  check(all.size() == message.size(), "the octets are counted");
  check(all.ends_with(octets), "it goes on as it came");
  std::string fields;
  for (const HeaderField& field : message.headers()) fields += field.raw;
  check(message.head().starts_with(fields), "the head is its fields");
  check(message.head().size() - fields.size() <= 2, "and a blank line");
  check(message.headers()[0].raw == "Received: from a\r\n by b\r\n", "our field is one");
  const bool dotted = all.starts_with('.') || all.contains("\r\n.") || all.contains("\n.");
  check(dotted == message.has_leading_dot(), "dots are found");
  const std::size_t line_end = all.find_first_of(std::string_view("\r\n\0", 3), all.size() - size);
  check(line_end == std::string::npos || all.substr(line_end, 2) == "\r\n", "lines are whole");
  return 0;
}
