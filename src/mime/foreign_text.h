// SPDX-License-Identifier: Apache-2.0
// Text of others in the charset that they say it has.
#pragma once

#include <string>
#include <string_view>

namespace todoku::mime {

// `octets` as UTF-8, or unchanged if nobody knows the charset: then they may be no UTF-8. What has
// no meaning in the charset becomes U+FFFD. ISO-2022-JP and Shift_JIS are read as Windows' code
// pages 50220 and 932, of which real mail in them is made (mime/charset.h).
[[nodiscard]] std::string utf8_of(std::string_view octets, std::string_view charset);

}  // namespace todoku::mime
