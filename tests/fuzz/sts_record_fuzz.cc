// SPDX-License-Identifier: Apache-2.0
// Any octets as TXT records at "_mta-sts", a record a line. Oracles: nothing dies; an id is letters
// and digits; a second record of the version is never read over.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "mailauth/mta_sts/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku::mailauth::mta_sts;
  using todoku::check;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> records;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    records.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  const auto id = policy_id(records);
  if (!id) return 0;
  check(!id->empty() && id->size() <= kIdOctetsMax, "an id is bounded");
  check(std::ranges::all_of(*id, todoku::is_ascii_alphanumeric), "an id is letters and digits");
  records.emplace_back("v=STSv1; id=1");
  const auto both = policy_id(records);
  check(!both && both.error() == NoRecord::several, "two are none");
  return 0;
}
