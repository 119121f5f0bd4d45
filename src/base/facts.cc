// SPDX-License-Identifier: Apache-2.0
#include "base/facts.h"

#include <algorithm>

namespace todoku {

std::optional<std::vector<std::string_view>> facts_of(std::string_view text,
                                                      std::string_view pattern) {
  std::vector<std::string_view> facts;
  const std::size_t first = std::min(pattern.find('*'), pattern.size());
  if (!text.starts_with(pattern.substr(0, first))) return std::nullopt;
  text.remove_prefix(first);
  pattern.remove_prefix(first);
  while (!pattern.empty()) {
    pattern.remove_prefix(1);
    const std::string_view between = pattern.substr(0, pattern.find('*'));
    pattern.remove_prefix(between.size());
    const bool last = pattern.empty();
    if (last && text.size() < between.size()) return std::nullopt;
    const std::size_t at = last ? text.size() - between.size() : text.find(between);
    if (at == std::string_view::npos || at == 0) return std::nullopt;
    if (last && text.substr(at) != between) return std::nullopt;
    facts.push_back(text.substr(0, at));
    text.remove_prefix(at + between.size());
  }
  if (!text.empty()) return std::nullopt;
  return facts;
}

}  // namespace todoku
