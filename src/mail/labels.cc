// SPDX-License-Identifier: Apache-2.0
#include "mail/labels.h"

#include <algorithm>

namespace todoku {

std::string joined_tags(const std::vector<std::string>& tags) {
  std::string joined;
  for (const std::string& tag : tags) {
    if (!joined.empty()) joined += '\n';
    joined += tag;
  }
  return joined;
}

std::vector<std::string> split_tags(std::string_view joined) {
  std::vector<std::string> tags;
  while (!joined.empty()) {
    const auto end = std::min(joined.find('\n'), joined.size());
    tags.emplace_back(joined.substr(0, end));
    joined.remove_prefix(std::min(end + 1, joined.size()));
  }
  return tags;
}

std::string_view to_string(Purpose purpose) {
  switch (purpose) {
    case Purpose::by_type:
      return "";
    case Purpose::advertisement:
      return "advertisement";
    case Purpose::notice:
      return "notice";
    case Purpose::transactional:
      return "transactional";
  }
  return "";
}

std::optional<Purpose> parse_purpose(std::string_view word) {
  for (const Purpose purpose : {Purpose::advertisement, Purpose::notice, Purpose::transactional}) {
    if (word == to_string(purpose)) return purpose;
  }
  return std::nullopt;
}

}  // namespace todoku
