// SPDX-License-Identifier: Apache-2.0
#include "mime/uri.h"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/percent.h"
#include "mail/address.h"
#include "mail/invisible.h"

namespace todoku::mime {
namespace {

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// RFC 3986 sections 2.2 and 2.3, less the comma and what has a place of its own: "%#[]".
bool is_uri_character(char c) {
  return is_ascii_alphanumeric(c) || std::string_view("-._~:/?@!$&'()*+;=").contains(c);
}

// Path, query and fragment; or what is before the host.
void append_rest(std::string& out, std::string_view text) {
  bool in_fragment = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool encoded_octet =
        c == '%' && i + 2 < text.size() && is_hex(text[i + 1]) && is_hex(text[i + 2]);
    const bool begins_fragment = c == '#' && !in_fragment;
    in_fragment |= begins_fragment;
    if (is_uri_character(c) || encoded_octet || begins_fragment) {
      out += c;
    } else {
      append_percent_encoded(out, c);
    }
  }
}

// The labels that need it become A-labels. The others stay: an insert code without a value, or a
// name that only the receiver's resolver knows, is no reason to lose the link.
Result<void> append_host(std::string& out, std::string_view host) {
  if (host.empty()) return fail(ErrorKind::invalid_input, "has no host");
  while (true) {
    const std::size_t dot = std::min(host.find('.'), host.size());
    const std::string_view label = host.substr(0, dot);
    if (is_ascii(label)) {
      const bool possible = std::ranges::all_of(
          label, [](char c) { return is_uri_character(c) || std::string_view("%[]").contains(c); });
      if (!possible) return fail(ErrorKind::invalid_input, "has an impossible host");
      if (label.contains('%')) {
        append_rest(out, label);  // an insert code without a value
      } else {
        out += label;
      }
    } else {
      const auto converted = to_ascii_domain(label);
      if (!converted) return fail(ErrorKind::invalid_input, "has an impossible host");
      out += *converted;
    }
    if (dot == host.size()) return {};
    out += '.';
    host.remove_prefix(dot + 1);
  }
}

Result<void> append_authority(std::string& out, std::string_view authority) {
  const std::size_t at = authority.rfind('@');
  if (at != std::string_view::npos) {
    append_rest(out, authority.substr(0, at));
    out += '@';
    authority.remove_prefix(at + 1);
  }
  const std::size_t colon = authority.rfind(':');
  const bool has_port =
      colon != std::string_view::npos &&
      authority.find_first_not_of("0123456789", colon + 1) == std::string_view::npos;
  const std::string_view port = has_port ? authority.substr(colon) : std::string_view{};
  authority.remove_suffix(port.size());
  if (auto host = append_host(out, authority); !host) return host;
  out += port;
  return {};
}

bool takes_scheme(std::string_view& text, std::string_view scheme) {
  if (!equals_ignoring_case(text.substr(0, scheme.size()), scheme)) return false;
  text.remove_prefix(scheme.size());
  return true;
}

}  // namespace

Result<std::string> valid_uri(std::string_view given) {
  std::string_view text = trim_invisible(given);
  std::string out;
  if (takes_scheme(text, "mailto:")) {
    out = "mailto:";
    const std::size_t end = std::min(text.find('?'), text.size());
    const std::size_t at = text.substr(0, end).rfind('@');
    if (at != std::string_view::npos) {
      append_rest(out, text.substr(0, at));
      out += '@';
      if (auto host = append_host(out, text.substr(at + 1, end - at - 1)); !host) {
        return fail(host.error());
      }
      text.remove_prefix(end);
    }
    if (text.empty() && at == std::string_view::npos) {
      return fail(ErrorKind::invalid_input, "has no address");
    }
  } else {
    const bool secure = takes_scheme(text, "https://");
    if (!secure && !takes_scheme(text, "http://")) {
      return fail(ErrorKind::invalid_input, "is no mailto:, http: or https: URI");
    }
    out = secure ? "https://" : "http://";
    const std::size_t end = std::min(text.find_first_of("/?#"), text.size());
    if (auto host = append_authority(out, text.substr(0, end)); !host) return fail(host.error());
    text.remove_prefix(end);
  }
  append_rest(out, text);
  if (out.size() > kUriOctetsMax) {
    return fail(ErrorKind::limit_exceeded,
                fmt::format("has {} bytes when it is percent-encoded; the limit is {} bytes",
                            out.size(), kUriOctetsMax));
  }
  return out;
}

}  // namespace todoku::mime
