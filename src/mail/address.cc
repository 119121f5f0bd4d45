// SPDX-License-Identifier: Apache-2.0
#include "mail/address.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <idn2.h>

#include "base/bytes.h"
#include "mail/invisible.h"

namespace todoku {
namespace {

constexpr std::size_t kLocalOctetsMax = 64;     // RFC 5321 section 4.5.3.1.1
constexpr std::size_t kAddressOctetsMax = 254;  // RFC 5321 section 4.5.3.1.3, less the brackets
constexpr std::size_t kDomainOctetsMax = 253;
constexpr std::size_t kLabelOctetsMax = 63;

bool is_atext(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-/=?^_`{|}~").contains(c) ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_control(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet < 0x20 || octet == 0x7F;
}

// True if `local` can go on the wire without quotes (RFC 5321 Dot-string).
bool is_dot_string(std::string_view local) {
  if (local.empty() || local.front() == '.' || local.back() == '.') return false;
  if (local.contains("..")) return false;
  return std::ranges::all_of(local, [](char c) { return c == '.' || is_atext(c); });
}

bool is_host_label(std::string_view label) {
  if (label.empty() || label.size() > kLabelOctetsMax) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return std::ranges::all_of(label, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

Result<void> check_host_name(std::string_view domain) {
  if (domain.empty()) return fail(ErrorKind::invalid_input, "has no domain");
  if (domain.size() > kDomainOctetsMax) {
    return fail(ErrorKind::invalid_input, "has a domain longer than 253 octets");
  }
  for (std::string_view rest = domain;;) {
    const std::size_t dot = rest.find('.');
    if (!is_host_label(rest.substr(0, dot))) {
      return fail(ErrorKind::invalid_input, "has an invalid domain");
    }
    if (dot == std::string_view::npos) return {};
    rest.remove_prefix(dot + 1);
  }
}

// Unquotes a quoted-string local part (RFC 5321 Quoted-string).
Result<std::string> unquote(std::string_view quoted) {
  std::string out;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    if (quoted[i] == '"') return fail(ErrorKind::invalid_input, "has a stray quotation mark");
    if (quoted[i] == '\\' && ++i + 1 >= quoted.size()) {
      return fail(ErrorKind::invalid_input, "has an unfinished quoted local part");
    }
    out += quoted[i];
  }
  return out;
}

// "a space", "\"<\"": of what is no part of an address.
std::string name_of(char c) {
  if (c == ' ') return "a space";
  if (c == '"') return "a quotation mark";
  return fmt::format("\"{}\"", c);
}

std::unexpected<Error> cannot_hold(char c) {
  return fail(ErrorKind::invalid_input,
              fmt::format("has {}, which an address cannot hold", name_of(c)));
}

bool has_encoded_word(std::string_view local) {
  const std::size_t begin = local.find("=?");
  return begin != std::string_view::npos && local.find("?=", begin + 2) != std::string_view::npos;
}

Result<std::string> parse_local(std::string_view text) {
  if (text.empty()) return fail(ErrorKind::invalid_input, "has nothing before the @");
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    auto local = unquote(text);
    if (!local) return local;
    if (local->empty()) return fail(ErrorKind::invalid_input, "has nothing before the @");
    if (std::ranges::any_of(*local, is_control)) {
      return fail(ErrorKind::invalid_input, "has a control character");
    }
    return local;
  }
  const auto wrong = std::ranges::find_if_not(text, [](char c) { return c == '.' || is_atext(c); });
  if (wrong != text.end()) return cannot_hold(*wrong);
  return std::string(text);
}

// RFC 5321 section 4.1.3. Accepted as an address; whether we send there is delivery's rule.
Result<std::string> parse_literal(std::string_view domain) {
  const bool valid = is_ascii(domain) && domain.ends_with(']') && domain.size() >= 3 &&
                     std::ranges::all_of(domain.substr(1, domain.size() - 2), [](char c) {
                       return is_atext(c) || c == '.' || c == ':';
                     });
  if (!valid) return fail(ErrorKind::invalid_input, "has an invalid domain");
  return to_ascii_lower(domain);
}

Result<std::string> parse_domain(std::string_view domain) {
  if (domain.starts_with('[')) return parse_literal(domain);
  const auto wrong = std::ranges::find_if_not(domain, [](char c) {
    return (is_atext(c) && !std::string_view("!#$%&'*+/=?^`{|}~").contains(c)) || c == '.';
  });
  if (wrong != domain.end()) return cannot_hold(*wrong);
  if (domain.starts_with('.') || domain.contains("..")) {
    return fail(ErrorKind::invalid_input, "has two dots in a row after the @, or one at once");
  }
  auto ascii = to_ascii_domain(domain);
  if (ascii && !ascii->contains('.')) {
    return fail(ErrorKind::invalid_input, "has a domain without a dot");
  }
  return ascii;
}

}  // namespace

Result<std::string> to_ascii_domain(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  std::string ascii = to_ascii_lower(domain);
  if (!is_ascii(ascii)) {
    char* converted = nullptr;
    const int code =
        idn2_to_ascii_8z(ascii.c_str(), &converted, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (code != IDN2_OK) {
      return fail(ErrorKind::invalid_input, "has an invalid internationalised domain");
    }
    const std::unique_ptr<char, decltype(&idn2_free)> owned(converted, &idn2_free);
    ascii = converted;
  }
  if (const auto valid = check_host_name(ascii); !valid) return fail(valid.error());
  return ascii;
}

std::string Address::to_string() const {
  std::string out;
  if (is_dot_string(local)) {
    out = local;
  } else {
    out = "\"";
    for (const char c : local) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out + "@" + domain;
}

bool Address::needs_smtputf8() const {
  return !is_ascii(local);
}

namespace {

// What people write who mean an address, of a text that is none: it says more than which character
// is wrong. Empty: no telling.
std::string_view what_was_meant(std::string_view text) {
  if (!is_utf8(text)) return "";
  if (to_ascii_lower(text.substr(0, 7)) == "mailto:") {
    return "begins with mailto:, write the address alone";
  }
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return "";
  const std::size_t open = text.find('<');
  if (open < at && text.ends_with('>') && text.find('<', open + 1) == std::string_view::npos) {
    return "has < and > around the address, write the address alone";
  }
  const std::size_t next = text.find('@', at + 1);
  if (next == std::string_view::npos || text.contains('"')) return "";
  std::string_view between = text.substr(at + 1, next - at - 1);
  if (between.find_first_of(" \t\r\n,;/|&<") != std::string_view::npos || between.contains("、") ||
      between.contains("，") || between.contains("；") || between.contains("\u3000")) {
    return "has more than one address, write one";
  }
  return "has more than one @";
}

Result<Address> parse(std::string_view text) {
  if (text.empty()) return fail(ErrorKind::invalid_input, "is empty");
  if (text.size() > kAddressOctetsMax) {
    return fail(ErrorKind::invalid_input, "is longer than 254 octets");
  }
  if (!is_utf8(text)) return fail(ErrorKind::invalid_input, "is not UTF-8");
  if (std::ranges::any_of(text, is_control)) {
    return fail(ErrorKind::invalid_input, "has a control character");
  }
  // Before the domain is converted: IDNA would take some of them out in silence.
  if (const auto invisible = find_invisible(text)) {
    return fail(ErrorKind::invalid_input,
                fmt::format("has the invisible character {} at character {}",
                            character_name(invisible->character), invisible->position));
  }
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) {
    return fail(ErrorKind::invalid_input,
                text.contains("＠") ? "has a fullwidth @ (U+FF20) for the @" : "has no @");
  }
  auto local = parse_local(text.substr(0, at));
  if (!local) return fail(local.error());
  // Readers that decode a whole field, quotes or not, would show another address than the one that
  // answers go to (RFC 2047 section 5 allows no encoded-word here).
  if (has_encoded_word(*local)) {
    return fail(ErrorKind::invalid_input, "has an encoded-word (=?...?=) before the @");
  }
  if (local->size() > kLocalOctetsMax) {
    return fail(ErrorKind::invalid_input, "has more than 64 octets before the @");
  }
  auto domain = parse_domain(text.substr(at + 1));
  if (!domain) return fail(domain.error());
  Address address{std::move(*local), std::move(*domain)};
  // Quotes and A-labels may have made it longer.
  if (address.to_string().size() > kAddressOctetsMax) {
    return fail(ErrorKind::invalid_input, "is longer than 254 octets as mail servers write it");
  }
  return address;
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  auto address = parse(text);
  if (address) return address;
  if (const auto meant = what_was_meant(text); !meant.empty()) {
    return fail(ErrorKind::invalid_input, std::string(meant));
  }
  return address;
}

}  // namespace todoku
