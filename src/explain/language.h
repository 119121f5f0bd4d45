// SPDX-License-Identifier: Apache-2.0
// The two languages in which the engine talks to people.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace todoku::explain {

enum class Language : std::uint8_t { english, japanese };

// "en" or "ja", also with a region as in "ja-JP" or "ja_JP.UTF-8".
[[nodiscard]] std::optional<Language> parse_language(std::string_view tag);

// One sentence in both.
struct Sentence {
  std::string_view english;
  std::string_view japanese;
  [[nodiscard]] constexpr std::string_view in(Language language) const {
    return language == Language::japanese ? japanese : english;
  }
};

}  // namespace todoku::explain
