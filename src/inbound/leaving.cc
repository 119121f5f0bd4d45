// SPDX-License-Identifier: Apache-2.0
#include "inbound/leaving.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace todoku::inbound {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

// Of base64url (RFC 4648 section 5).
bool is_of_token(char c) {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return is_letter || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (words.size() < kSubjectWordsMax) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    if (text.empty()) break;
    const std::size_t end = std::min(text.find_first_of(kBlanks), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

// One of the stretches that nothing but a token's characters are in.
std::optional<UnsubscribeToken> token_within(std::string_view text,
                                             const UnsubscribeTokens& tokens) {
  while (!text.empty()) {
    const auto begin = std::ranges::find_if(text, is_of_token);
    const auto end = std::find_if_not(begin, text.end(), is_of_token);
    if (auto read = tokens.read(std::string_view(begin, end))) return read;
    text = std::string_view(end, text.end());
  }
  return std::nullopt;
}

}  // namespace

std::optional<UnsubscribeToken> leaver_in(std::string_view subject,
                                          const UnsubscribeTokens& tokens) {
  const std::vector<std::string_view> words = words_of(subject);
  for (const std::string_view word : words) {
    if (auto read = token_within(word, tokens)) return read;
  }
  // Of one that was cut the last part is mostly the last word.
  std::string joined;
  for (auto word = words.rbegin(); word != words.rend(); ++word) {
    joined.insert(0, *word);
    if (auto read = token_within(joined, tokens)) return read;
  }
  return std::nullopt;
}

}  // namespace todoku::inbound
