// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/tag_list.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"

namespace todoku::mailauth::dkim {
namespace {

// More tags than any specification has; a longer list is an attack on our time.
constexpr std::size_t kTagsMax = 64;

bool is_alpha(char c) {
  return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

// ALPHA *(ALPHA / DIGIT / "_")
bool is_tag_name(std::string_view name) {
  return !name.empty() && is_alpha(name.front()) && std::ranges::all_of(name, [](char c) {
    return is_alpha(c) || (c >= '0' && c <= '9') || c == '_';
  });
}

bool is_white_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// VALCHAR is %x21-3A / %x3C-7E; ";" cannot occur because it separated the tags.
bool is_value(std::string_view value) {
  return std::ranges::all_of(value, [](char c) {
    const auto octet = static_cast<std::uint8_t>(c);
    return is_white_space(c) || (octet > 0x20 && octet != 0x7F);
  });
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
  while (true) {
    const std::size_t colon = value.find(':');
    parts.push_back(trim(value.substr(0, colon)));
    if (colon == std::string_view::npos) return parts;
    value.remove_prefix(colon + 1);
  }
}

}  // namespace todoku::mailauth::dkim
