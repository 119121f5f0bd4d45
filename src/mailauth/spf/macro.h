// SPDX-License-Identifier: Apache-2.0
// Macro strings (RFC 7208 section 7):
//
//   domain-spec    = macro-string domain-end
//   domain-end     = ( "." toplabel [ "." ] ) / macro-expand
//   macro-string   = *( macro-expand / macro-literal )
//   macro-expand   = ( "%{" macro-letter *DIGIT [ "r" ] *delimiter "}" ) / "%%" / "%_" / "%-"
//   macro-literal  = %x21-24 / %x26-7E
//   explain-string = *( macro-string / SP )
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace todoku::mailauth::spf {

enum class MacroPlace : std::uint8_t {
  domain,       // the letters c, r and t are an error (section 7.2)
  modifier,     // the value of an unknown modifier: every letter, never expanded
  explanation,  // every letter, and spaces
};

// Errors: invalid_input with the offending part, fit for a log.
[[nodiscard]] Result<void> check_macro_string(std::string_view text, MacroPlace place);
[[nodiscard]] Result<void> check_domain_spec(std::string_view text);

// Whether %{s} or %{l} is in `text`, which was checked: a local part that is not ASCII can not be
// in a name (RFC 8616 section 4).
[[nodiscard]] bool names_local_part(std::string_view text);

// The value of a letter in lower case, before transformers.
using MacroValue = std::function<std::string(char letter)>;

inline constexpr std::size_t kNameOctetsMax = 253;

// The name that a checked domain-spec means: without final dot, and without the labels at its left
// that make it longer than 253 octets (section 7.3). It may hold any octets and be no name at all.
[[nodiscard]] std::string expand_domain(std::string_view domain_spec, const MacroValue& value);

// The text for people that a checked explain-string means. Errors: invalid_input if it is not
// printable US-ASCII (section 6.2), limit_exceeded past kExplanationOctetsMax.
[[nodiscard]] Result<std::string> expand_explanation(std::string_view text,
                                                     const MacroValue& value);
inline constexpr std::size_t kExplanationOctetsMax = 4'096;

}  // namespace todoku::mailauth::spf
