// SPDX-License-Identifier: Apache-2.0
#include "base/phrase_book.h"

#include <vector>

#include <fmt/args.h>
#include <fmt/format.h>

namespace todoku {
namespace {

// Of texts within texts. What comes from outside may have any number of colons, and each is two
// parts more to look for.
constexpr int kDepthMax = 6;

// What stands in the places of `pattern`; nullopt: `said` is another sentence.
std::optional<std::vector<std::string_view>> places_in(std::string_view pattern,
                                                       std::string_view said) {
  constexpr std::string_view kPlace = "{}";
  std::vector<std::string_view> places;
  std::size_t end = pattern.find(kPlace);
  if (end == pattern.npos) {
    return said == pattern ? std::optional(std::move(places)) : std::nullopt;
  }
  if (!said.starts_with(pattern.substr(0, end))) return std::nullopt;
  said.remove_prefix(end);
  while (end != pattern.npos) {
    pattern.remove_prefix(end + kPlace.size());
    end = pattern.find(kPlace);
    const std::string_view after = pattern.substr(0, end);
    const bool is_last = end == pattern.npos;
    if (is_last && !said.ends_with(after)) return std::nullopt;
    const std::size_t at = is_last ? said.size() - after.size() : said.find(after);
    if (at == said.npos || at == 0) return std::nullopt;
    places.push_back(said.substr(0, at));
    said.remove_prefix(at + after.size());
  }
  return places;
}

std::optional<std::string> in_japanese(std::span<const Phrase> book, std::string_view said,
                                       int depth);

std::string or_as_it_is(std::span<const Phrase> book, std::string_view said, int depth) {
  return in_japanese(book, said, depth).value_or(std::string(said));
}

// Around the last `mark`, for what is said stands behind what it is about.
std::optional<std::string> by_parts(std::span<const Phrase> book, std::string_view said,
                                    std::string_view mark, int depth) {
  const std::size_t at = said.rfind(mark);
  if (at == said.npos) return std::nullopt;
  const auto before = in_japanese(book, said.substr(0, at), depth);
  const auto after = in_japanese(book, said.substr(at + mark.size()), depth);
  if (!before && !after) return std::nullopt;
  return fmt::format("{}{}{}", before.value_or(std::string(said.substr(0, at))), mark,
                     after.value_or(std::string(said.substr(at + mark.size()))));
}

std::optional<std::string> in_japanese(std::span<const Phrase> book, std::string_view said,
                                       int depth) {
  if (depth == kDepthMax) return std::nullopt;
  for (const Phrase& phrase : book) {
    const auto places = places_in(phrase.en, said);
    if (!places) continue;
    fmt::dynamic_format_arg_store<fmt::format_context> filled;
    for (const std::string_view place : *places) {
      filled.push_back(or_as_it_is(book, place, depth + 1));
    }
    return fmt::vformat(phrase.ja, filled);
  }
  if (auto parts = by_parts(book, said, "; ", depth + 1)) return parts;
  return by_parts(book, said, ": ", depth + 1);
}

}  // namespace

std::optional<std::string> in_japanese_by(std::span<const Phrase> book, std::string_view said) {
  return in_japanese(book, said, 0);
}

}  // namespace todoku
