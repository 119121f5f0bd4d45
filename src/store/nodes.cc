// SPDX-License-Identifier: Apache-2.0
#include "store/nodes.h"

#include <algorithm>

#include <fmt/format.h>

namespace todoku::store {

std::string lives_here(const Node& other) {
  const auto left = std::chrono::ceil<std::chrono::seconds>(other.left).count();
  return fmt::format(
      "the process of node {} (version {}, roles {}) works on this store, and only one may; its "
      "lease runs for {} s unless it renews it",
      other.name, other.version, other.roles, std::max<std::int64_t>(left, 0));
}

}  // namespace todoku::store
