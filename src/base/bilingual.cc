// SPDX-License-Identifier: Apache-2.0
#include "base/bilingual.h"

#include "base/bytes.h"

namespace todoku {

std::optional<Language> parse_language(std::string_view tag) {
  const std::string_view word = tag.substr(0, tag.find_first_of("-_."));
  if (equals_ignoring_case(word, "en")) return Language::english;
  if (equals_ignoring_case(word, "ja")) return Language::japanese;
  return std::nullopt;
}

}  // namespace todoku
