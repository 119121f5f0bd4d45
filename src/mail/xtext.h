// SPDX-License-Identifier: Apache-2.0
// xtext (RFC 3461 section 4): how a parameter of an SMTP command says any octets in printable ASCII
// without '+' and '=', which are written as '+' and two upper-case hexadecimal digits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace todoku {

[[nodiscard]] std::string to_xtext(std::string_view octets);
// nullopt: not xtext. Digits in lower case are taken as well. The octets may be any, also CR and
// NUL.
[[nodiscard]] std::optional<std::string> from_xtext(std::string_view text);

}  // namespace todoku
