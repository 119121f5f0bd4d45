// SPDX-License-Identifier: Apache-2.0
// What was shipped of a store, as it is found in a folder that is not ours alone. Oracle: what is
// believed is the same when it is packed again, and its pages are pages. The check would turn all
// but a few inputs away, so it is put right as well.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/digest.h"
#include "store/sqlite/shipment.h"
#include "store/sqlite/shipped_names.h"

namespace todoku::store::sqlite {
namespace {

void read(std::string_view octets) {
  const auto shipment = unpack_shipment(octets);
  if (!shipment) return;
  const auto again = unpack_shipment(pack(*shipment));
  check(again.has_value() && *again == *shipment, "what was packed reads the same");
  (void)each_page(*shipment, [&](std::uint32_t number, std::string_view page) -> Result<void> {
    check(number > 0 && page.size() == shipment->page_octets, "a page is one");
    return {};
  });
}

void run(std::string_view input) {
  read(input);
  std::string checked = "TDKSHIP1" + std::string(input);
  const Sha256 digest = sha256(checked);
  checked.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  read(checked);
  const Shipped shipped = read_names({{.name = std::string(input), .written = {}}});
  (void)spare(shipped, from_epoch_ms(0));
}

}  // namespace
}  // namespace todoku::store::sqlite

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  todoku::store::sqlite::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
