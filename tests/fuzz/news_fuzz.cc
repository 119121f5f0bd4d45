// SPDX-License-Identifier: Apache-2.0
// News of another process, as it lies in the store. Oracle: what is believed reads the same when it
// is written and read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "delivery/news_text.h"
#include "store/news.h"

namespace todoku::delivery {
namespace {

void run(std::string_view input) {
  const auto told = read_news(input);
  if (!told) return;
  const auto pieces = write_news(*told, store::kNewsMax);
  std::size_t items = 0;
  for (const std::string& piece : pieces) {
    const auto again = read_news(piece);
    check(again.has_value(), "what was written can be read");
    check(write_news(*again, store::kNewsMax) == std::vector{piece}, "and says the same");
    items += again->news.progress.size() + again->news.rests.size() + again->routed.size();
  }
  const std::size_t all =
      told->news.progress.size() + told->news.rests.size() + told->routed.size();
  check(items == all || input.size() > store::kNewsMax, "nothing is left out");
}

}  // namespace
}  // namespace todoku::delivery

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  todoku::delivery::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
