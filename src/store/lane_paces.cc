// SPDX-License-Identifier: Apache-2.0
#include "store/lane_paces.h"

#include <algorithm>
#include <tuple>

namespace todoku::store {

void put_in_order(std::vector<LanePace>& paces) {
  std::ranges::sort(paces, [](const LanePace& one, const LanePace& other) {
    return std::tie(one.source, one.site) < std::tie(other.source, other.site);
  });
}

}  // namespace todoku::store
