// SPDX-License-Identifier: Apache-2.0
// The words of a reply, as the rules look at them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mail/reply.h"

namespace todoku::feedback::classify {

// Beyond this nothing is looked at: the store keeps no more, and a stored reply must mean what it
// meant when it came.
inline constexpr std::size_t kOctetsRead = 2048;

// Small letters; those of Latin-1 without their marks, which half of the receivers leave out:
// "Boîte" is "boite", "ß" is "s".
[[nodiscard]] std::string plain(std::string_view text);

// plain(), line breaks as spaces, without e-mail addresses: what is in the recipient's address says
// nothing.
[[nodiscard]] std::string readable(std::string_view text);

// Without host names and URLs, which are written in whatever words somebody liked.
[[nodiscard]] std::string without_names(std::string_view words);

// What words are made of, in lower case: a phrase that begins or ends with one does so where words
// do.
[[nodiscard]] bool is_word_octet(char c);

// Whether `words` has one of `phrases`, which are separated by '|'. A phrase begins and ends where
// words do, unless '*' at its end leaves that open: "throttl*".
[[nodiscard]] bool has_phrase(std::string_view words, std::string_view phrases);

// The enhanced status code: at the beginning (RFC 2034), or in brackets as in "(#5.1.1)".
[[nodiscard]] std::optional<EnhancedStatus> enhanced_of(std::string_view text);

}  // namespace todoku::feedback::classify
