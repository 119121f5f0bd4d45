// SPDX-License-Identifier: Apache-2.0
// How an egress proxy is written in the configuration.
#pragma once

#include <string_view>

#include "base/result.h"
#include "net/egress_proxy.h"
#include "net/endpoint.h"

namespace todoku::config {

struct ProxyUrl {
  net::EgressProxy::Kind kind = net::EgressProxy::Kind::socks5;
  net::Endpoint at;
};

// "socks5://192.0.2.9:1080", "haproxy://[2001:db8::9]:5000". Errors: invalid_input.
[[nodiscard]] inline Result<ProxyUrl> parse_proxy_url(std::string_view text) {
  using Kind = net::EgressProxy::Kind;
  for (const auto& [scheme, kind] :
       {std::pair<std::string_view, Kind>("socks5://", Kind::socks5),
        std::pair<std::string_view, Kind>("haproxy://", Kind::haproxy)}) {
    if (!text.starts_with(scheme)) continue;
    const auto at = net::Endpoint::parse(text.substr(scheme.size()));
    if (!at) return fail(at.error());
    if (at->port != 0) return ProxyUrl{kind, *at};
  }
  return fail(ErrorKind::invalid_input, "neither socks5:// nor haproxy:// with address and port");
}

}  // namespace todoku::config
