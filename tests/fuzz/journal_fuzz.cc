// SPDX-License-Identifier: Apache-2.0
// Files of the journal as they are found in a folder that is not ours alone. Oracle: what is
// believed reads the same when it is written and read again. The check sum would turn all but a few
// inputs away, so the payload of a record is given by itself as well.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/digest.h"
#include "events/journal/format.h"

namespace todoku::events::journal {
namespace {

void read(std::string_view octets) {
  auto reader = SegmentReader::of(octets);
  if (!reader) return;
  while (const auto record = reader->next()) {
    const std::string packed = pack(reader->header()) + pack(*record);
    auto second = SegmentReader::of(packed);
    check(second.has_value() && second->next() == record, "what was written reads the same");
  }
  check(reader->torn() <= octets.size(), "what is left is a part of it");
}

void run(std::string_view input) {
  read(input);
  const Sha256 digest = sha256(input);
  std::string framed;
  for (unsigned i = 0; i < 4; ++i) framed.push_back(static_cast<char>(input.size() >> (8 * i)));
  framed.append(reinterpret_cast<const char*>(digest.data()), 8);
  read(pack(Header{.store = "store", .ordinal = 1}) + framed + std::string(input));
}

}  // namespace
}  // namespace todoku::events::journal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  todoku::events::journal::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
