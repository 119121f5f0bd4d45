// SPDX-License-Identifier: Apache-2.0
#include "mailauth/spf/record.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/printable.h"
#include "mailauth/spf/address.h"
#include "mailauth/spf/macro.h"

namespace todoku::mailauth::spf {
namespace {

constexpr std::string_view kVersion = "v=spf1";
constexpr unsigned kIp4Bits = 32;
constexpr unsigned kIp6Bits = 128;

constexpr std::array<std::pair<std::string_view, MechanismKind>, 8> kMechanisms{
    {{"all", MechanismKind::all},
     {"include", MechanismKind::include},
     {"a", MechanismKind::a},
     {"mx", MechanismKind::mx},
     {"ptr", MechanismKind::ptr},
     {"ip4", MechanismKind::ip4},
     {"ip6", MechanismKind::ip6},
     {"exists", MechanismKind::exists}}};

std::unexpected<Error> invalid(std::string detail) {
  return fail(ErrorKind::invalid_input, std::move(detail));
}

// name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ), then "=": the length of the name, or 0.
std::size_t modifier_name_size(std::string_view term) {
  const auto end = std::ranges::find_if_not(
      term, [](char c) { return is_ascii_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
  if (end == term.end() || *end != '=' || end == term.begin()) return 0;
  if (term.front() >= '0' && term.front() <= '9') return 0;
  return ascii_lower(term.front()) >= 'a' ? static_cast<std::size_t>(end - term.begin()) : 0;
}

Result<void> read_modifier(std::string_view term, std::size_t name_size, Record& record) {
  const std::string_view name = term.substr(0, name_size);
  const std::string_view value = term.substr(name_size + 1);
  const bool is_redirect = equals_ignoring_case(name, "redirect");
  if (!is_redirect && !equals_ignoring_case(name, "exp")) {
    record.other_modifiers.push_back(term);
    return check_macro_string(value, MacroPlace::modifier);
  }
  std::optional<std::string_view>& place = is_redirect ? record.redirect : record.exp;
  // Section 6: each of the two at most once.
  if (place) return invalid("occurs twice");
  place = value;
  return check_domain_spec(value);
}

// "0" / %x31-39 *DIGIT, at most `max`.
Result<unsigned> read_bits(std::string_view digits, unsigned max) {
  unsigned bits = 0;
  const bool fits = digits.size() <= 3 && (digits.size() == 1 || !digits.starts_with('0'));
  for (const char digit : digits.substr(0, 3))
    bits = bits * 10 + static_cast<unsigned>(digit - '0');
  if (!fits || digits.empty() || bits > max) {
    return invalid(fmt::format("a prefix length is no number from 0 to {}", max));
  }
  return bits;
}

// Takes `slashes` and the digits after it from the end of `text`; `bits` stays if they are not
// there. From the end, because a domain-spec may hold slashes, but cannot end so.
Result<void> take_bits(std::string_view& text, std::string_view slashes, unsigned& bits) {
  const std::size_t before = text.find_last_not_of("0123456789");
  if (before == std::string_view::npos || before + 1 == text.size()) return {};
  const std::string_view head = text.substr(0, before + 1);
  if (!head.ends_with(slashes)) return {};
  const auto read = read_bits(text.substr(before + 1), bits);
  if (!read) return fail(read.error());
  bits = *read;
  text = head.substr(0, head.size() - slashes.size());
  return {};
}

// [ ":" domain-spec ]
Result<void> read_domain(std::string_view rest, bool needed, Mechanism& mechanism) {
  if (rest.empty()) return needed ? Result<void>(invalid("needs a domain")) : Result<void>();
  if (!rest.starts_with(':')) return invalid("is followed by what does not belong there");
  mechanism.domain_spec = rest.substr(1);
  return check_domain_spec(mechanism.domain_spec);
}

// [ ":" domain-spec ] [ dual-cidr-length ]
Result<void> read_hosts(std::string_view rest, Mechanism& mechanism) {
  if (const auto taken = take_bits(rest, "//", mechanism.ip6_bits); !taken) return taken;
  if (const auto taken = take_bits(rest, "/", mechanism.ip4_bits); !taken) return taken;
  return read_domain(rest, false, mechanism);
}

Result<void> read_network(std::string_view rest, Mechanism& mechanism) {
  if (!rest.starts_with(':')) return invalid("needs an address");
  rest.remove_prefix(1);
  const std::size_t slash = rest.find('/');
  const std::string_view address = rest.substr(0, slash);
  const bool is_ip4 = mechanism.kind == MechanismKind::ip4;
  auto octets = is_ip4 ? octets_of_ip4(address) : octets_of_ip6(address);
  if (!octets) return invalid(fmt::format("holds no IPv{} address", is_ip4 ? 4 : 6));
  mechanism.network = std::move(*octets);
  if (slash == std::string_view::npos) return {};
  const std::string_view digits = rest.substr(slash + 1);
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return invalid("has a prefix length that is no number");
  }
  const auto bits = read_bits(digits, is_ip4 ? kIp4Bits : kIp6Bits);
  if (!bits) return fail(bits.error());
  (is_ip4 ? mechanism.ip4_bits : mechanism.ip6_bits) = *bits;
  return {};
}

Result<void> read_arguments(std::string_view rest, Mechanism& mechanism) {
  switch (mechanism.kind) {
    case MechanismKind::all:
      return rest.empty() ? Result<void>() : invalid("is followed by what does not belong there");
    case MechanismKind::include:
    case MechanismKind::exists:
      return read_domain(rest, true, mechanism);
    case MechanismKind::ptr:
      return read_domain(rest, false, mechanism);
    case MechanismKind::a:
    case MechanismKind::mx:
      return read_hosts(rest, mechanism);
    case MechanismKind::ip4:
    case MechanismKind::ip6:
      return read_network(rest, mechanism);
  }
  return {};
}

Qualifier take_qualifier(std::string_view& directive) {
  constexpr std::string_view kSigns = "+-~?";
  const std::size_t sign = kSigns.find(directive.front());
  if (sign == std::string_view::npos) return Qualifier::pass;
  directive.remove_prefix(1);
  return static_cast<Qualifier>(sign);
}

Result<void> read_directive(std::string_view term, Record& record) {
  Mechanism mechanism{.text = term};
  std::string_view rest = term;
  mechanism.qualifier = take_qualifier(rest);
  const std::string_view name = rest.substr(0, rest.find_first_of(":/"));
  const auto* const known = std::ranges::find_if(
      kMechanisms, [name](const auto& entry) { return equals_ignoring_case(entry.first, name); });
  if (known == kMechanisms.end()) return invalid("is no known mechanism");
  mechanism.kind = known->second;
  if (const auto read = read_arguments(rest.substr(name.size()), mechanism); !read) return read;
  record.mechanisms.push_back(std::move(mechanism));
  return {};
}

Result<void> read_term(std::string_view term, Record& record) {
  const std::size_t name = modifier_name_size(term);
  if (name == 0) return read_directive(term, record);
  return read_modifier(term, name, record);
}

}  // namespace

bool is_record(std::string_view text) {
  return equals_ignoring_case(text.substr(0, kVersion.size()), kVersion) &&
         (text.size() == kVersion.size() || text[kVersion.size()] == ' ');
}

Result<Record> parse_record(std::string_view text) {
  if (text.size() > kRecordOctetsMax) {
    return fail(ErrorKind::limit_exceeded, fmt::format("a record of {} octets", text.size()));
  }
  Record record;
  text.remove_prefix(kVersion.size());
  // Only SP separates (section 4.6.1); any other white space is part of a term, and wrong there.
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) return record;
    const std::string_view term = text.substr(0, text.find(' '));
    text.remove_prefix(term.size());
    if (const auto read = read_term(term, record); !read) {
      constexpr std::size_t kShown = 60;
      return fail(read.error().kind, fmt::format("\"{}\": {}", printable(term.substr(0, kShown)),
                                                 read.error().detail));
    }
  }
}

}  // namespace todoku::mailauth::spf
