// SPDX-License-Identifier: Apache-2.0
#include "mail/dsn.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/utf8.h"
#include "mail/unitext.h"
#include "mail/xtext.h"

namespace todoku {
namespace {

struct NotifyWord {
  std::string_view word;
  std::uint8_t bit;
};
constexpr std::array kNotifyWords = {
    NotifyWord{"NEVER", DsnNotify::kNever}, NotifyWord{"SUCCESS", DsnNotify::kSuccess},
    NotifyWord{"FAILURE", DsnNotify::kFailure}, NotifyWord{"DELAY", DsnNotify::kDelay}};

constexpr bool is_seen(char c) {
  return c >= ' ' && c <= '~';
}

// RFC 3461 section 4.2: addr-type is an atom.
bool is_atom(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-/=?^_`{|}~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return is_ascii_alphanumeric(c) || kMarks.contains(c);
  });
}

// RFC 6533 section 3: an address of this type has a form of its own instead of xtext.
bool is_of_utf8(std::string_view type) {
  return equals_ignoring_case(type, "utf-8");
}

// Could stand in a field of a report: no controls, also not those of U+0080 to U+009F.
bool is_seen_utf8(std::string_view text) {
  while (!text.empty()) {
    const CodePoint point = decode_utf8(text);
    const bool control = point.value < 0x20 || (point.value >= 0x7F && point.value < 0xA0);
    if (point.octets == 0 || control) return false;
    text.remove_prefix(point.octets);
  }
  return true;
}

}  // namespace

std::string_view to_string(DsnReturn ret) {
  switch (ret) {
    case DsnReturn::unspecified:
      break;
    case DsnReturn::full:
      return "FULL";
    case DsnReturn::hdrs:
      return "HDRS";
  }
  return {};
}

std::optional<DsnReturn> parse_dsn_return(std::string_view text) {
  for (const DsnReturn ret : {DsnReturn::full, DsnReturn::hdrs}) {
    if (equals_ignoring_case(text, to_string(ret))) return ret;
  }
  return std::nullopt;
}

std::string DsnNotify::to_string() const {
  std::string out;
  for (const NotifyWord& known : kNotifyWords) {
    if ((bits & known.bit) == 0) continue;
    if (!out.empty()) out += ',';
    out += known.word;
  }
  return out;
}

std::optional<DsnNotify> DsnNotify::parse(std::string_view text) {
  DsnNotify notify;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    more = comma != std::string_view::npos;
    const std::string_view word = text.substr(0, comma);
    const auto known = std::ranges::find_if(kNotifyWords, [&](const NotifyWord& each) {
      return equals_ignoring_case(each.word, word);
    });
    if (known == kNotifyWords.end() || (notify.bits & known->bit) != 0) return std::nullopt;
    notify.bits |= known->bit;
    if (more) text.remove_prefix(comma + 1);
  }
  if ((notify.bits & kNever) != 0 && notify.bits != kNever) return std::nullopt;
  return notify;
}

std::string OriginalRecipient::to_string() const {
  return type + ";" +
         (is_of_utf8(type) ? to_unitext(address, Unitext::eight_bit) : to_xtext(address));
}

std::optional<std::string> OriginalRecipient::to_ascii() const {
  if (!is_of_utf8(type)) return to_string();
  std::string text = type + ";" + to_unitext(address, Unitext::seven_bit);
  if (text.size() > kOrcptOctetsMax) return std::nullopt;
  return text;
}

std::optional<OriginalRecipient> parse_orcpt(std::string_view text, bool utf8) {
  const std::size_t semicolon = text.find(';');
  if (text.size() > kOrcptOctetsMax || semicolon == std::string_view::npos) return std::nullopt;
  const std::string_view type = text.substr(0, semicolon);
  text.remove_prefix(semicolon + 1);
  const bool of_utf8 = is_of_utf8(type);
  const Unitext form = utf8 ? Unitext::eight_bit : Unitext::seven_bit;
  auto address = of_utf8 ? from_unitext(text, form) : from_xtext(text);
  if (!is_atom(type) || !address || address->empty()) return std::nullopt;
  const bool seen = of_utf8 ? is_seen_utf8(*address) : std::ranges::all_of(*address, is_seen);
  if (!seen) return std::nullopt;
  return OriginalRecipient{std::string(type), std::move(*address)};
}

std::optional<std::string> parse_envid(std::string_view text) {
  if (text.empty() || text.size() > kEnvidOctetsMax) return std::nullopt;
  auto id = from_xtext(text);
  if (!id || !std::ranges::all_of(*id, is_seen)) return std::nullopt;
  return id;
}

}  // namespace todoku
