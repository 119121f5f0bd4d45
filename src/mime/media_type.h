// SPDX-License-Identifier: Apache-2.0
// The Content-Type of an attachment: what its sender declared, as far as it can be repeated safely.
#pragma once

#include <string>
#include <string_view>

namespace todoku::mime {

// The value of the field, parameters on lines of their own (";\r\n name=value"). Of `given`, which
// may be nonsense:
//  - a media type that is none, or a multipart or message (which may not be base64, RFC 2046
//  section
//    5.2.1), becomes application/octet-stream without parameters;
//  - up to 8 parameters of at most 200 octets are kept, each name once, written anew as token,
//    quoted-string or, beyond ASCII, by RFC 2231; together at most kMediaTypeOctetsMax. A value
//    with a control or another misleading character is left out;
//  - left out are boundary, and name and filename in all their forms: the file has a name from us.
[[nodiscard]] std::string content_type_value(std::string_view given);

inline constexpr std::size_t kMediaTypeOctetsMax = 1024;

}  // namespace todoku::mime
