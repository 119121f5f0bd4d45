// SPDX-License-Identifier: Apache-2.0
#include "base/spelling.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace todoku {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

std::string suggestion(std::string_view unknown, std::span<const std::string> names) {
  constexpr std::size_t kLongest = 64;  // of what is compared: input may be of any length
  if (unknown.size() > kLongest) return {};
  const auto last_part = [](std::string_view name) { return name.substr(name.rfind('.') + 1); };
  std::size_t best = std::max<std::size_t>(2, unknown.size() / 4) + 1;
  std::string_view nearest;
  for (const std::string& name : names) {
    std::size_t distance = edit_distance(unknown, name);
    if (last_part(unknown) == last_part(name)) distance = std::min<std::size_t>(distance, 2);
    if (distance < best) {
      best = distance;
      nearest = name;
    }
  }
  return nearest.empty() ? "" : fmt::format(" (did you mean {}?)", nearest);
}

}  // namespace todoku
