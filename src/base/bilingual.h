// SPDX-License-Identifier: Apache-2.0
// Text in the two languages in which the engine talks to people: English and Japanese.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace todoku {

// Stored as these numbers: never renumber.
enum class Language : std::uint8_t { english = 0, japanese = 1 };

// "en" or "ja", also with a region as in "ja-JP" or "ja_JP.UTF-8".
[[nodiscard]] std::optional<Language> parse_language(std::string_view tag);

// The same in both. `String` is std::string_view for what is written in the code, std::string for
// what is made.
template <class String>
struct Bilingual {
  String en;
  String ja;

  [[nodiscard]] constexpr std::string_view in(Language language) const {
    return language == Language::japanese ? ja : en;
  }
  friend bool operator==(const Bilingual&, const Bilingual&) = default;
};

using Sentence = Bilingual<std::string_view>;
using BilingualText = Bilingual<std::string>;

}  // namespace todoku
