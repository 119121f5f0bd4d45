// SPDX-License-Identifier: Apache-2.0
// Sentences that are said in English only, found again and said in Japanese: for what knows no
// languages, and is quoted to people all the same.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace todoku {

struct Phrase {
  std::string_view en;  // "{} has more than {} MX records": each {} is some text
  std::string_view ja;  // "{0} の MX レコードが {1} 件を超えています": by their numbers
};

// `said` by the first phrase that it is, with what stands in its places said likewise, and parts
// around "; " and ": " each by itself where the whole is none. What is not known stays as it is;
// nullopt: that is all of it.
[[nodiscard]] std::optional<std::string> in_japanese_by(std::span<const Phrase> book,
                                                        std::string_view said);

}  // namespace todoku
