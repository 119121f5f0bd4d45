// SPDX-License-Identifier: Apache-2.0
#include "store/receiver_tls.h"

#include <algorithm>
#include <tuple>

namespace todoku::store {

void put_in_order(std::vector<TlsCount>& counts) {
  std::ranges::sort(counts, [](const TlsCount& one, const TlsCount& other) {
    return std::tie(other.day, one.domain, one.policy, one.result) <
           std::tie(one.day, other.domain, other.policy, other.result);
  });
}

}  // namespace todoku::store
