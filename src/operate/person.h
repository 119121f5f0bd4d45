// SPDX-License-Identifier: Apache-2.0
// Whose data it is, and where a part of it begins; shared by what tells and what erases it.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/result.h"
#include "operate/operations.h"

namespace todoku::operate {

struct Operations::Person {
  std::string address;                  // canonical
  std::optional<store::Account> owner;  // nullopt: of all accounts
};

// Among the mails, or among the lists of accounts.
struct PersonalPlace {
  bool in_lists = false;
  std::optional<std::int64_t> number;  // of the mail; or after that account
};

[[nodiscard]] inline std::string written(const PersonalPlace& place) {
  return fmt::format("{}{}", place.in_lists ? 'l' : 'm', place.number.value_or(0));
}

// invalid_input: no part was told to go on there.
[[nodiscard]] inline Result<PersonalPlace> read_personal_place(std::string_view text) {
  if (text.empty()) return PersonalPlace{};
  PersonalPlace place{.in_lists = text.front() == 'l', .number = 0};
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + 1, end, *place.number);
  if ((text.front() != 'l' && text.front() != 'm') || read.ec != std::errc() || read.ptr != end) {
    return fail(ErrorKind::invalid_input, "after is none that a page has given");
  }
  return place;
}

}  // namespace todoku::operate
