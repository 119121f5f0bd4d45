// SPDX-License-Identifier: Apache-2.0
#include "config/smarthost_url.h"

#include <charconv>

#include <fmt/format.h>

#include "base/bytes.h"
#include "mail/address.h"
#include "net/endpoint.h"

namespace todoku::config {
namespace {

std::unexpected<Error> no_smarthost(std::string_view text) {
  return fail(ErrorKind::invalid_input,
              fmt::format("{} is not smtp:// and a host, with or without a port", text));
}

}  // namespace

Result<SmarthostUrl> parse_smarthost_url(std::string_view text) {
  constexpr std::string_view kScheme = "smtp://";
  if (!text.starts_with(kScheme)) return no_smarthost(text);
  SmarthostUrl url;
  const std::string_view authority = text.substr(kScheme.size());
  if (const auto endpoint = net::Endpoint::parse(authority, url.port)) {
    if (endpoint->port == 0) return no_smarthost(text);
    return SmarthostUrl{endpoint->address.to_string(), endpoint->port};
  }
  std::string_view name = authority;
  if (const std::size_t colon = authority.find(':'); colon != std::string_view::npos) {
    name = authority.substr(0, colon);
    const std::string_view digits = authority.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
    const bool whole = error == std::errc() && end == digits.data() + digits.size();
    if (!whole || url.port == 0) return no_smarthost(text);
  }
  const auto ascii = to_ascii_domain(name);
  if (!ascii || ascii->contains('_')) return no_smarthost(text);
  url.host = to_ascii_lower(*ascii);
  return url;
}

}  // namespace todoku::config
