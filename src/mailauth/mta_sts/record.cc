// SPDX-License-Identifier: Apache-2.0
#include "mailauth/mta_sts/record.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"

namespace todoku::mailauth::mta_sts {
namespace {

constexpr std::string_view kVersion = "v=STSv1";
constexpr std::size_t kFieldNameMax = 32;

std::string_view without_spaces(std::string_view text) {
  constexpr std::string_view kSpaces = " \t";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

// RFC 8461 section 3.1 speaks of "v=STSv1;"; its grammar allows white space before the semicolon.
bool is_ours(std::string_view text) {
  if (!text.starts_with(kVersion)) return false;
  const std::string_view rest = without_spaces(text.substr(kVersion.size()));
  return rest.starts_with(';');
}

bool is_field_name(std::string_view name) {
  return !name.empty() && name.size() <= kFieldNameMax && is_ascii_alphanumeric(name.front()) &&
         std::ranges::all_of(name, [](char c) {
           return is_ascii_alphanumeric(c) || c == '_' || c == '-' || c == '.';
         });
}

// sts-ext-value: printable, without "=" (the ";" has ended it).
bool is_field_value(std::string_view value) {
  return !value.empty() &&
         std::ranges::all_of(value, [](char c) { return c > ' ' && c < 0x7f && c != '='; });
}

bool is_id(std::string_view value) {
  return !value.empty() && value.size() <= kIdOctetsMax &&
         std::ranges::all_of(value, is_ascii_alphanumeric);
}

std::optional<std::string> read_id(std::string_view text) {
  if (text.size() > kRecordOctetsMax) return std::nullopt;
  text.remove_prefix(text.find(';') + 1);
  std::optional<std::string> id;
  while (true) {
    const std::size_t end = text.find(';');
    const std::string_view field = without_spaces(text.substr(0, end));
    const bool is_last = end == std::string_view::npos;
    // One delimiter may end the record; an empty field elsewhere is none of the grammar's.
    if (field.empty()) return is_last ? id : std::nullopt;
    const std::size_t equals = field.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = field.substr(0, equals);
    const std::string_view value = field.substr(equals + 1);
    if (!is_field_name(name) || !is_field_value(value)) return std::nullopt;
    if (name == "id") {
      if (id || !is_id(value)) return std::nullopt;
      id = std::string(value);
    }
    if (is_last) return id;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::string_view to_string(NoRecord why) {
  switch (why) {
    case NoRecord::absent:
      return "absent";
    case NoRecord::several:
      return "several";
    case NoRecord::broken:
      return "broken";
  }
  return "";
}

std::expected<std::string, NoRecord> policy_id(std::span<const std::string> texts) {
  const std::string* ours = nullptr;
  for (const std::string& text : texts) {
    if (!is_ours(text)) continue;
    if (ours != nullptr) return std::unexpected(NoRecord::several);
    ours = &text;
  }
  if (ours == nullptr) return std::unexpected(NoRecord::absent);
  auto id = read_id(*ours);
  if (!id) return std::unexpected(NoRecord::broken);
  return std::move(*id);
}

}  // namespace todoku::mailauth::mta_sts
