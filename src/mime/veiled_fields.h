// SPDX-License-Identifier: Apache-2.0
// A mail of strangers, as a general reader of MIME may have it. Such a reader builds what each
// header field says as it comes upon it: the addresses of To and Cc, by recursion and with guesses
// at charsets, for whoever asks or nobody. What only the form of a mail needs is three fields:
// Content-Type, Content-Disposition and Content-Transfer-Encoding (RFC 2045, RFC 2183). Every other
// line that could begin a field, in whichever section or text it stands, gets a name that no
// reader knows, and gets its own back when a part is taken out. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace todoku::mime {

// Octets of a field of the three, with the lines that continue it: what is beyond is left out.
inline constexpr std::size_t kFormFieldOctetsMax = std::size_t{8} << 10U;
// Octets of all of them in a mail: those beyond are veiled as well.
inline constexpr std::size_t kFormFieldsOctetsMax = std::size_t{256} << 10U;

// `mail` with all other fields veiled, also those in messages within it; blanks, controls and NULs
// before the colon are no way around it. Lines that begin with "--" stand as they are: they delimit
// parts. Less than ten octets more for each line.
[[nodiscard]] std::string veil_fields(std::string_view mail);

// A piece of a veiled mail that begins with a line, as it was before.
[[nodiscard]] std::string unveil_fields(std::string_view piece);

}  // namespace todoku::mime
