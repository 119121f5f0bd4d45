// SPDX-License-Identifier: Apache-2.0
// The shape of base64 in lines (RFC 2045 section 6.8), as append_base64_lines() of base/bytes.h
// writes it: for who must know its size, or where to cut, before anything is encoded.
#pragma once

#include <cstddef>
#include <cstdint>

namespace todoku {

// These octets make one line: what is cut at multiples of them and encoded piece by piece is the
// same as the whole.
inline constexpr std::size_t kBase64LineOctets = 57;
inline constexpr std::size_t kBase64LineCharacters = 78;  // 76 and CRLF

// Octets of all lines, line ends included.
[[nodiscard]] constexpr std::uint64_t base64_lines_size(std::uint64_t octets) {
  const std::uint64_t lines = (octets + kBase64LineOctets - 1) / kBase64LineOctets;
  return (octets + 2) / 3 * 4 + lines * 2;
}

}  // namespace todoku
