// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/dns_record.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"
#include "mail/address.h"

namespace todoku::mailauth::dkim {
namespace {

constexpr std::size_t kNameOctetsMax = 253;
constexpr std::size_t kLabelOctetsMax = 63;
constexpr std::size_t kTxtStringOctetsMax = 255;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// RFC 5321 section 4.1.2: sub-domain = Let-dig [Ldh-str].
bool is_sub_domain(std::string_view label) {
  return !label.empty() && label.size() <= kLabelOctetsMax && is_letter_or_digit(label.front()) &&
         is_letter_or_digit(label.back()) &&
         std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

bool all_labels_are_sub_domains(std::string_view name) {
  while (true) {
    const std::size_t dot = name.find('.');
    if (!is_sub_domain(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

void append_quoted(std::string& out, std::string_view octets) {
  out += '"';
  for (const char c : octets) {
    const auto octet = static_cast<std::uint8_t>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (octet < 0x20 || octet >= 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\{:03}", octet);  // RFC 1035 section 5.1
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

Result<KeyName> KeyName::parse(std::string_view domain, std::string_view selector) {
  auto ascii = to_ascii_domain(domain);
  if (!ascii) return fail("DKIM domain", ascii.error());
  if (!ascii->contains('.') || !all_labels_are_sub_domains(*ascii)) {
    return fail(ErrorKind::invalid_input,
                fmt::format("DKIM domain {}: needs at least two labels of letters, digits and "
                            "inner hyphens",
                            *ascii));
  }
  if (!all_labels_are_sub_domains(selector)) {
    return fail(ErrorKind::invalid_input,
                "DKIM selector: needs labels of letters, digits and inner hyphens, at most 63 "
                "octets each, separated by dots");
  }
  KeyName name{.domain = std::move(*ascii), .selector = to_ascii_lower(selector)};
  const std::size_t octets = name.lookup_name().size();
  if (octets > kNameOctetsMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("DKIM selector and domain: the name of the key record would have {} "
                            "octets, DNS allows {}",
                            octets, kNameOctetsMax));
  }
  return name;
}

std::string KeyName::lookup_name() const {
  return fmt::format("{}._domainkey.{}", selector, domain);
}

std::string key_record_text(const SigningKey& key) {
  return fmt::format("v=DKIM1; k={}; p={}", to_string(key.algorithm()),
                     to_base64(key.public_octets()));
}

std::vector<std::string_view> split_txt_strings(std::string_view text) {
  std::vector<std::string_view> strings;
  do {
    strings.push_back(text.substr(0, kTxtStringOctetsMax));
    text.remove_prefix(strings.back().size());
  } while (!text.empty());
  return strings;
}

std::string zone_file_entry(std::string_view name, std::string_view text) {
  const auto strings = split_txt_strings(text);
  std::string out = fmt::format("{}. IN TXT ", name);
  if (strings.size() > 1) out += "( ";
  for (std::size_t i = 0; i < strings.size(); ++i) {
    if (i > 0) out += "\n  ";
    append_quoted(out, strings[i]);
  }
  out += strings.size() > 1 ? " )\n" : "\n";
  return out;
}

}  // namespace todoku::mailauth::dkim
