// SPDX-License-Identifier: Apache-2.0
// What the header section of a part says about its body, read strictly: where two readers could
// understand it in different ways it is not understood at all. Internal to mime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace todoku::mime {

// Of the value of Content-Type (RFC 2045 section 5.1).
struct EntityType {
  bool sound = false;    // the grammar was kept to, without comments and doubled parameters
  std::string type;      // lower case; empty if not even that can be read
  std::string subtype;   // lower case
  std::string boundary;  // RFC 2046 section 5.1.1

  [[nodiscard]] bool is(std::string_view of_type, std::string_view of_subtype) const {
    return type == of_type && subtype == of_subtype;
  }
};
[[nodiscard]] EntityType parse_entity_type(std::string_view value);

// Content-Transfer-Encoding (RFC 2045 section 6.1).
enum class DeclaredEncoding : std::uint8_t {
  none,
  seven_bit,
  eight_bit,
  binary,
  quoted_printable,
  base64,
  other,
};

// The header section of an entity.
struct EntityHead {
  const char* trouble =
      nullptr;  // why it cannot be read surely, a clause; the rest is nothing then
  bool has_type = false;
  EntityType type;
  DeclaredEncoding encoding = DeclaredEncoding::none;
  std::size_t encoding_begin = 0;   // of the field in the head, its line end included
  std::size_t encoding_octets = 0;  // 0: there is none
  bool has_mime_version = false;
  bool is_signed = false;  // DKIM (RFC 6376), ARC (RFC 8617), DomainKeys
};
// `head`: lines with CRLF, the blank one included if there is one.
[[nodiscard]] EntityHead read_entity_head(std::string_view head);

}  // namespace todoku::mime
