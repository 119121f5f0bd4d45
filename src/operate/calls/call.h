// SPDX-License-Identifier: Apache-2.0
// What is declared of an operation that can be called from outside.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "base/bilingual.h"

namespace todoku::operate {

struct Argument {
  // words: of a list; a text with commas between them, or a list of texts.
  enum class Kind : std::uint8_t { text, words, secret, number, truth };
  std::string_view name;
  Sentence help;  // of the command line
  Kind kind = Kind::text;
  bool needed = false;
  std::int64_t min = 0;  // of a number
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};

enum class Verb : std::uint8_t { get, post, patch, remove };

// Of a body that is an argument as it is.
inline constexpr std::size_t kRawOctetsMax = std::size_t{24} << 20U;

// Arguments named in braces in the path stand there; the others of a get and a remove in the query,
// of a post and a patch in a JSON object, or in the query where the body is an argument itself.
struct Call {
  Verb verb = Verb::get;
  std::string_view path;
  std::span<const Argument> arguments;
  std::string_view raw = {};  // the one that is the body as it is; empty: none

  // nullptr: it has no such argument.
  [[nodiscard]] constexpr const Argument* find(std::string_view name) const {
    const auto found = std::ranges::find(arguments, name, &Argument::name);
    return found == arguments.end() ? nullptr : &*found;
  }
  [[nodiscard]] constexpr bool has_body() const {
    return verb == Verb::post || verb == Verb::patch;
  }
};

}  // namespace todoku::operate
