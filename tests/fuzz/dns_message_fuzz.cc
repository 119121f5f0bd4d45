// SPDX-License-Identifier: Apache-2.0
// Messages of hostile name servers: whatever they hold, they are read within their own length, and
// what is told of them is bounded.
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "dns/server_answer.h"
#include "dns/wire.h"

namespace todoku::dns {
namespace {

void read_message(WireOctets octets) {
  const auto message = parse_message(octets);
  if (!message) {
    check(message.error().kind == ErrorKind::corrupt, "a message that cannot be read is corrupt");
    return;
  }
  check(message->answer.size() + message->authority.size() <= kWireRecordsMax,
        "records are bounded");
  // An owner costs two octets at least, by which a name of 255 may be meant.
  for (const WireRecord& record : message->answer) {
    check(record.owner.size() <= 4 * 255, "an owner is bounded");
    check(record.rdata.size() <= octets.size() + 2 * 255, "names are all that grows");
  }
  for (const auto type : {mailauth::FactType::a, mailauth::FactType::aaaa, mailauth::FactType::mx,
                          mailauth::FactType::txt, mailauth::FactType::ptr}) {
    const auto answer = server_answer(*message, {.type = type, .name = message->name});
    check(answer.is_found() == !answer.values.empty(), "found is what has values");
    check(answer.values.size() <= kWireRecordsMax, "values are bounded");
  }
}

}  // namespace
}  // namespace todoku::dns

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  todoku::dns::read_message(std::span(data, size));
  return 0;
}
