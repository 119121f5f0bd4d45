// SPDX-License-Identifier: Apache-2.0
// TLSA records of hostile name servers. The input is a list of records: length (two octets), data.
// Oracles: what is kept can be used, is bounded and has no weaker twin; records that were there are
// never taken for none.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/check.h"
#include "mailauth/dane/tlsa.h"

namespace todoku::mailauth::dane {
namespace {

void run(std::span<const std::uint8_t> input) {
  std::vector<TlsaRecord> records;
  while (input.size() >= 2) {
    const std::size_t length = std::min<std::size_t>(input[0] * 256U + input[1], input.size() - 2);
    if (auto record = parse_tlsa(input.subspan(2, length))) {
      check(record->data.size() + 3 == length, "a record is read whole");
      records.push_back(std::move(*record));
    }
    input = input.subspan(2 + length);
  }
  const bool any = !records.empty();
  const Demand demand = demand_of(std::move(records));
  check(any == (demand.demand != DaneDemand::nothing), "records are not taken for none");
  check((demand.demand == DaneDemand::proof) == !demand.records.empty(), "a proof goes by records");
  check(demand.records.size() <= kRecordsMax, "they are bounded");
  for (const TlsaRecord& record : demand.records) {
    check(why_unusable(record).empty(), "what is kept can be used");
    check(record.data.size() <= kDataMax, "its data is bounded");
    check(std::ranges::count(demand.records, record) == 1, "each is kept once");
  }
}

}  // namespace
}  // namespace todoku::mailauth::dane

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  todoku::mailauth::dane::run({data, size});
  return 0;
}
