// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/tag_list.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"

namespace todoku::mailauth::dkim {
namespace {

// More tags than any specification has; a longer list is an attack on our time.
constexpr std::size_t kTagsMax = 64;
constexpr std::size_t kTagsUsual = 12;

bool is_alpha(char c) {
  return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

// ALPHA *(ALPHA / DIGIT / "_")
bool is_tag_name(std::string_view name) {
  return !name.empty() && is_alpha(name.front()) && std::ranges::all_of(name, [](char c) {
    return is_alpha(c) || (c >= '0' && c <= '9') || c == '_';
  });
}

// VALCHAR is %x21-3A / %x3C-7E; ";" cannot occur because it separated the tags. To the end,
// whatever it finds: without a branch the compiler makes vector instructions of it.
bool is_value(std::string_view value) {
  unsigned wrong = 0;
  for (const char c : value) {
    const auto octet = static_cast<std::uint8_t>(c);
    const auto is_low = static_cast<unsigned>(octet < 0x20) | static_cast<unsigned>(octet == 0x7F);
    const auto is_space = static_cast<unsigned>(c == '\t') | static_cast<unsigned>(c == '\r') |
                          static_cast<unsigned>(c == '\n');
    wrong |= is_low & (is_space ^ 1U);
  }
  return wrong == 0;
}

// For messages about foreign text: its start, with nothing that could disturb a log.
std::string excerpt(std::string_view text) {
  std::string out(text.substr(0, 20));
  std::ranges::replace_if(
      out, [](char c) { return static_cast<std::uint8_t>(c) - 0x20U >= 0x5FU; }, '?');
  return out;
}

}  // namespace

Result<TagList> TagList::parse(std::string_view text) {
  TagList list;
  list.tags_.reserve(kTagsUsual);
  while (true) {
    const std::size_t semicolon = text.find(';');
    const bool last = semicolon == std::string_view::npos;
    const std::string_view spec = text.substr(0, semicolon);
    if (last && trim(spec).empty() && !list.tags_.empty()) return list;  // [ ";" ] at the end

    const std::size_t equals = spec.find('=');
    const std::string_view name = trim(spec.substr(0, equals));
    if (equals == std::string_view::npos || !is_tag_name(name)) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("\"{}\" is not a tag=value", excerpt(trim(spec))));
    }
    const std::string_view room = spec.substr(equals + 1);
    if (!is_value(room)) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("tag {} holds a control character", excerpt(name)));
    }
    if (list.find(name) != nullptr) {
      return fail(ErrorKind::invalid_input, fmt::format("tag {} occurs twice", excerpt(name)));
    }
    if (list.tags_.size() == kTagsMax) {
      return fail(ErrorKind::invalid_input, fmt::format("more than {} tags", kTagsMax));
    }
    list.tags_.push_back({.name = name, .value = trim(room), .room = room});
    if (last) return list;
    text.remove_prefix(semicolon + 1);
  }
}

const Tag* TagList::find(std::string_view name) const {
  const auto found = std::ranges::find(tags_, name, &Tag::name);
  return found == tags_.end() ? nullptr : &*found;
}

std::optional<std::string_view> TagList::value(std::string_view name) const {
  const Tag* tag = find(name);
  if (tag == nullptr) return std::nullopt;
  return tag->value;
}

std::vector<std::string_view> split_colons(std::string_view value) {
  std::vector<std::string_view> parts;
  parts.reserve(static_cast<std::size_t>(std::ranges::count(value, ':')) + 1);
  while (true) {
    const std::size_t colon = value.find(':');
    parts.push_back(trim(value.substr(0, colon)));
    if (colon == std::string_view::npos) return parts;
    value.remove_prefix(colon + 1);
  }
}

}  // namespace todoku::mailauth::dkim
