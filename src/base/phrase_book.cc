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

// Sentences that follow one another. `are_all`: whether each of them is known.
std::optional<std::string> by_sentences(std::span<const Phrase> book, std::string_view said,
                                        int depth, bool& are_all) {
  constexpr std::string_view kMark = "; ";
  are_all = said.contains(kMark);
  if (!are_all) return std::nullopt;
  std::string text;
  bool is_any = false;
  while (true) {
    const std::size_t end = said.find(kMark);
    const std::string_view sentence = said.substr(0, end);
    const auto known = in_japanese(book, sentence, depth);
    is_any |= known.has_value();
    are_all &= known.has_value();
    text += known.value_or(std::string(sentence));
    if (end == said.npos) break;
    text += kMark;
    said.remove_prefix(end + kMark.size());
  }
  return is_any ? std::optional(std::move(text)) : std::nullopt;
}

// What is said stands behind what it is about.
std::optional<std::string> by_clause(std::span<const Phrase> book, std::string_view said,
                                     int depth) {
  constexpr std::string_view kMark = ": ";
  const std::size_t at = said.rfind(kMark);
  if (at == said.npos) return std::nullopt;
  const std::string_view about = said.substr(0, at);
  const std::string_view clause = said.substr(at + kMark.size());
  const auto about_ja = in_japanese(book, about, depth);
  const auto clause_ja = in_japanese(book, clause, depth);
  if (!about_ja && !clause_ja) return std::nullopt;
  return fmt::format("{}{}{}", about_ja.value_or(std::string(about)), kMark,
                     clause_ja.value_or(std::string(clause)));
}

std::optional<std::string> in_japanese(std::span<const Phrase> book, std::string_view said,
                                       int depth) {
  if (depth == kDepthMax) return std::nullopt;
  // Before the phrases, whose places would take in the sentences that follow.
  bool are_all = false;
  auto sentences = by_sentences(book, said, depth + 1, are_all);
  if (are_all) return sentences;
  for (const Phrase& phrase : book) {
    const auto places = places_in(phrase.en, said);
    if (!places) continue;
    fmt::dynamic_format_arg_store<fmt::format_context> filled;
    for (const std::string_view place : *places) {
      filled.push_back(or_as_it_is(book, place, depth + 1));
    }
    return fmt::vformat(phrase.ja, filled);
  }
  if (sentences) return sentences;
  return by_clause(book, said, depth + 1);
}

}  // namespace

std::optional<std::string> in_japanese_by(std::span<const Phrase> book, std::string_view said) {
  return in_japanese(book, said, 0);
}

}  // namespace todoku
