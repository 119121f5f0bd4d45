// SPDX-License-Identifier: Apache-2.0
// What a sender says of a delivery besides its content: what it is for, and to which list and
// subjects of the sender's it belongs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mail/states.h"

namespace todoku {

// What a mail is for decides what may stop it (mail/suppression.h). Stored as these numbers: never
// renumber.
enum class Purpose : std::uint8_t {
  by_type = 0,        // not said: bulk is advertisement, all else transactional
  advertisement = 1,  // who has opted out does not get it
  notice = 2,         // who left its list does not get it, who wants no advertisements does
  transactional = 3,  // asked for by the recipient's own doing, such as a password reset
};

inline constexpr std::size_t kTagsMax = 10;
inline constexpr std::size_t kTagCharactersMax = 64;
inline constexpr std::size_t kListIdCharactersMax = 64;

struct Labels {
  std::vector<std::string> tags;  // without control characters
  std::string list_id;
  Purpose purpose = Purpose::by_type;
  friend bool operator==(const Labels&, const Labels&) = default;
};

// Never by_type.
[[nodiscard]] constexpr Purpose purpose_of(Purpose said, DeliveryType type) {
  if (said != Purpose::by_type) return said;
  return type == DeliveryType::bulk ? Purpose::advertisement : Purpose::transactional;
}

// One tag a line, as they are stored.
[[nodiscard]] std::string joined_tags(const std::vector<std::string>& tags);
[[nodiscard]] std::vector<std::string> split_tags(std::string_view joined);

[[nodiscard]] std::string_view to_string(Purpose purpose);  // "" for by_type
[[nodiscard]] std::optional<Purpose> parse_purpose(std::string_view word);

}  // namespace todoku
