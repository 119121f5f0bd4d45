// SPDX-License-Identifier: Apache-2.0
// The words of the enumerations in options.h, in their order and equal to the enumerators' names.
#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "sink/options.h"

namespace todoku::sink {
namespace {

template <std::size_t Size>
using Words = std::array<std::string_view, Size>;

constexpr Words<kMoments> kMomentWords = {"connect", "hello", "starttls", "mail", "rcpt",
                                          "data",    "bdat",  "body",     "quit"};
constexpr Words<12> kExcuseWords = {
    "unknown_user",  "mailbox_full",         "blocked",           "unauthenticated", "spam",
    "too_fast",      "too_many_connections", "too_many_messages", "greylisted",      "busy",
    "any_temporary", "any_permanent"};
constexpr Words<10> kProviderWords = {"postfix", "gmail",  "yahoo", "outlook",  "office365",
                                      "icloud",  "docomo", "au",    "softbank", "yahoo_japan"};
constexpr Words<7> kTlsWords = {"none",       "good",   "self_signed", "expired",
                                "wrong_name", "broken", "stalled"};

constexpr Words<4> kPipelinedWords = {"answered", "lost", "refused", "closed"};

template <std::size_t Size, class Enum>
std::string_view word_of(const Words<Size>& words, Enum value) {
  const auto index = static_cast<std::size_t>(std::to_underlying(value));
  check(index < Size, "every enumerator has a word");
  return words[index];
}

template <class Enum, std::size_t Size>
std::optional<Enum> value_of(const Words<Size>& words, std::string_view text) {
  const auto found = std::ranges::find(words, text);
  if (found == words.end()) return std::nullopt;
  return static_cast<Enum>(found - words.begin());
}

}  // namespace

std::string_view to_string(Moment moment) {
  return word_of(kMomentWords, moment);
}
std::optional<Moment> moment_from(std::string_view word) {
  return value_of<Moment>(kMomentWords, word);
}
std::string_view to_string(Excuse excuse) {
  return word_of(kExcuseWords, excuse);
}
std::optional<Excuse> excuse_from(std::string_view word) {
  return value_of<Excuse>(kExcuseWords, word);
}
std::string_view to_string(Provider provider) {
  return word_of(kProviderWords, provider);
}
std::optional<Provider> provider_from(std::string_view word) {
  return value_of<Provider>(kProviderWords, word);
}
std::string_view to_string(TlsMode mode) {
  return word_of(kTlsWords, mode);
}
std::optional<TlsMode> tls_mode_from(std::string_view word) {
  return value_of<TlsMode>(kTlsWords, word);
}
std::string_view to_string(smtp::Pipelined pipelined) {
  return word_of(kPipelinedWords, pipelined);
}
std::optional<smtp::Pipelined> pipelined_from(std::string_view word) {
  return value_of<smtp::Pipelined>(kPipelinedWords, word);
}

}  // namespace todoku::sink
