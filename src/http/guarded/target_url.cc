// SPDX-License-Identifier: Apache-2.0
#include "http/guarded/target_url.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/percent.h"
#include "http/query.h"
#include "mail/address.h"

namespace todoku::http {
namespace {

constexpr std::uint16_t kHttp = 80;
constexpr std::uint16_t kHttps = 443;

std::unexpected<Error> no_url(std::string_view why) {
  return fail(ErrorKind::invalid_input, fmt::format("the URL {}", why));
}

bool takes_prefix(std::string_view& text, std::string_view prefix) {
  if (!equals_ignoring_case(text.substr(0, prefix.size()), prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// To some readers a backslash is a slash (WHATWG), and white space goes away: such a URL would
// have several hosts.
bool is_ambiguous(char c) {
  const auto octet = static_cast<std::uint8_t>(c);
  return octet <= 0x20 || octet == 0x7F || c == '\\';
}

// RFC 3986 allows neither of them in paths and queries, and who splits a line at them reads another
// one.
bool needs_encoding(char c) {
  return static_cast<std::uint8_t>(c) >= 0x80 || std::string_view("\"<>^`{|}").contains(c);
}

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (needs_encoding(c)) {
      append_percent_encoded(out, c);
    } else {
      out += c;
    }
  }
  return out;
}

// WHATWG URL: the last label is a decimal, octal or hexadecimal number.
bool ends_in_a_number(std::string_view host) {
  const std::string_view last = host.substr(host.rfind('.') + 1);
  const auto all = [](std::string_view text, std::string_view of) {
    return text.find_first_not_of(of) == std::string_view::npos;
  };
  return all(last, "0123456789") ||
         (last.starts_with("0x") && all(last.substr(2), "0123456789abcdef"));
}

struct Authority {
  std::optional<std::string_view> user_info;
  std::string_view host;  // with brackets if it had them
  std::optional<std::string_view> port;
};

Authority split(std::string_view text) {
  Authority parts;
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    parts.user_info = text.substr(0, at);
    text.remove_prefix(at + 1);
  }
  const std::size_t close = text.starts_with('[') ? text.find(']') : 0;
  const std::size_t colon = text.find(':', std::min(close, text.size()));
  parts.host = text.substr(0, colon);
  if (colon != std::string_view::npos) parts.port = text.substr(colon + 1);
  return parts;
}

Result<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || stop != end || port == 0) return no_url("has no valid port");
  return port;
}

// RFC 7617 section 2: a user has no colon, and neither has a control character.
Result<SecretText> read_user_info(std::string_view text) {
  const std::size_t colon = text.find(':');
  auto user = percent_decode(text.substr(0, colon));
  auto password =
      percent_decode(colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1));
  if (!user || !password || user->contains(':')) return no_url("has a user that cannot be read");
  const SecretText both(*user + ":" + *password);
  wipe(*user);
  wipe(*password);
  const bool has_control = std::ranges::any_of(
      both.view(), [](char c) { return static_cast<std::uint8_t>(c) < 0x20 || c == 0x7F; });
  if (has_control) return no_url("has a user or password with a control character");
  std::string value = "Basic ";
  value.reserve(value.size() + both.view().size() * 2 + 4);  // no copy of it stays behind
  append_base64(value, both.view());
  return SecretText(std::move(value));
}

struct Host {
  std::string name;
  std::optional<net::IpAddress> address;
};

Result<Host> read_host(std::string_view text) {
  if (text.empty()) return no_url("has no host");
  if (text.starts_with('[')) {
    const auto address = text.ends_with(']')
                             ? net::IpAddress::parse(text.substr(1, text.size() - 2))
                             : fail(ErrorKind::invalid_input, "");
    if (!address || !address->is_v6()) return no_url("has an impossible address for its host");
    return Host{address->to_string(), *address};
  }
  auto name = to_ascii_domain(text);
  if (!name || name->empty()) return no_url("has an impossible host");
  if (!ends_in_a_number(*name)) return Host{std::move(*name), std::nullopt};
  const auto address = net::IpAddress::parse(*name);
  if (!address) return no_url("has an impossible address for its host");
  return Host{address->to_string(), *address};
}

}  // namespace

Result<TargetUrl> TargetUrl::parse(std::string_view text) {
  if (text.size() > kOctetsMax) {
    return fail(ErrorKind::limit_exceeded,
                fmt::format("the URL has {} octets, at most {}", text.size(), kOctetsMax));
  }
  if (!is_utf8(text)) return no_url("is no UTF-8");
  if (std::ranges::any_of(text, is_ambiguous)) return no_url("has white space or a backslash");
  TargetUrl url;
  url.secure_ = takes_prefix(text, "https://");
  if (!url.secure_ && !takes_prefix(text, "http://")) {
    return no_url("does not begin with https:// or http://");
  }
  if (text.contains('#')) return no_url("has a fragment (#), which no server sees");
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  const Authority parts = split(text.substr(0, end));
  auto host = read_host(parts.host);
  if (!host) return fail(host.error());
  url.host_ = std::move(host->name);
  url.address_ = host->address;
  url.port_ = url.secure_ ? kHttps : kHttp;
  if (parts.port) {
    const auto port = read_port(*parts.port);
    if (!port) return fail(port.error());
    url.port_ = *port;
  }
  if (parts.user_info) {
    auto value = read_user_info(*parts.user_info);
    if (!value) return fail(value.error());
    url.authorization_ = std::move(*value);
  }
  const std::string_view rest = text.substr(end);
  const std::size_t question = std::min(rest.find('?'), rest.size());
  url.path_ = question == 0 ? "/" : encoded(rest.substr(0, question));
  url.query_ = encoded(rest.substr(question));
  return url;
}

std::string TargetUrl::origin(std::string_view before_host) const {
  const bool bracketed = address_ && address_->is_v6();
  const bool usual_port = port_ == (secure_ ? kHttps : kHttp);
  return fmt::format("{}://{}{}{}{}{}", secure_ ? "https" : "http", before_host,
                     bracketed ? "[" : "", host_, bracketed ? "]" : "",
                     usual_port ? "" : fmt::format(":{}", port_));
}

std::string TargetUrl::wire() const {
  return origin("") + path_ + query_;
}

std::string TargetUrl::shown() const {
  return origin(authorization_.view().empty() ? "" : "***@") + path_ +
         (query_.empty() ? "" : "?***");
}

Result<void> TargetUrl::judge(const net::OutboundRule& rule) const {
  if (address_) return rule.judge({*address_, port_});
  if (rule.knows_port(port_)) return {};
  return fail(ErrorKind::unauthorized, fmt::format("port {} is not allowed", port_));
}

}  // namespace todoku::http
