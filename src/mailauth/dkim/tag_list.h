// SPDX-License-Identifier: Apache-2.0
// Tag lists, the syntax that signatures and key records share: "v=1; a=rsa-sha256; b=..."
// (RFC 6376 section 3.2).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace todoku::mailauth::dkim {

struct Tag {
  std::string_view name;   // case matters
  std::string_view value;  // without the white space around it
  std::string_view room;   // everything between "=" and ";", the white space included
};

// Views into the text that was parsed.
class TagList {
 public:
  // Strict but for two things that are seen in practice: white space anywhere between tags, and
  // octets over 127 in values (RFC 8616). Errors: invalid_input with the offending part.
  [[nodiscard]] static Result<TagList> parse(std::string_view text);

  [[nodiscard]] const std::vector<Tag>& tags() const { return tags_; }
  [[nodiscard]] const Tag* find(std::string_view name) const;
  // The tag's value, or nullopt if there is no such tag.
  [[nodiscard]] std::optional<std::string_view> value(std::string_view name) const;

 private:
  std::vector<Tag> tags_;
};

// The parts of a value separated by ":", white space around each removed: "a : b" -> {"a", "b"}.
[[nodiscard]] std::vector<std::string_view> split_colons(std::string_view value);

}  // namespace todoku::mailauth::dkim
