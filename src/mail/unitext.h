// SPDX-License-Identifier: Apache-2.0
// How a parameter of an SMTP command or a field of a report says an address of type utf-8
// (RFC 6533 section 3): printable ASCII without '\', '+' and '=' stands as it is, and so may what
// is beyond ASCII; any other character is \x{HEX}, its code point in hexadecimal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace todoku {

enum class Unitext : std::uint8_t {
  seven_bit,  // utf-8-addr-xtext: beyond ASCII only \x{HEX}, for where SMTPUTF8 is not spoken
  eight_bit,  // utf-8-addr-unitext: beyond ASCII as it is
};

// Octets of `text` that are no UTF-8 stay as they are.
[[nodiscard]] std::string to_unitext(std::string_view text, Unitext form);
// UTF-8, also of \x{HEX} in `eight_bit`. Never longer than `text`. nullopt: not of this form, which
// has one spelling for a code point (but for the case of its digits), and none for a control of
// ASCII.
[[nodiscard]] std::optional<std::string> from_unitext(std::string_view text, Unitext form);

}  // namespace todoku
