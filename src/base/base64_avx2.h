// SPDX-License-Identifier: Apache-2.0
// The vector half of append_base64_lines(): whole lines of 76 characters, where the processor can.
#pragma once

#include <cstddef>
#include <string_view>

namespace todoku {

// Writes the first lines of base64 of `octets`, each from 57 octets to 76 characters and CRLF, and
// returns how many. It stops before the line whose vector loads would read past the end, so the
// caller always has the rest to do; 0 on a processor without AVX2.
[[nodiscard]] std::size_t encode_base64_lines_avx2(std::string_view octets, char* out);

}  // namespace todoku
