// SPDX-License-Identifier: Apache-2.0
// A URL at which a tenant wants to be called, read once and then only used in its parts: what we
// judge and what libcurl connects to cannot be two readings of one text. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/wipe.h"
#include "net/endpoint.h"
#include "net/outbound_rule.h"

namespace todoku::http {

class TargetUrl {
 public:
  static constexpr std::size_t kOctetsMax = 2'048;

  // http or https, a host, perhaps a port, user and password, path and query; no fragment, which
  // no server would see. Hosts beyond ASCII become A-labels; path and query beyond it are
  // percent-encoded, white space and backslashes are refused. A host that ends in a number is an
  // IPv4 address in its usual form, or nothing: "127.1" and "0x7f000001" mean 127.0.0.1 to some
  // readers (WHATWG URL, "ends in a number").
  // Errors: invalid_input, limit_exceeded; the sentence repeats nothing of the text, which may hold
  // a password.
  [[nodiscard]] static Result<TargetUrl> parse(std::string_view text);

  [[nodiscard]] bool is_secure() const { return secure_; }
  // Lower-case A-labels, or an address without brackets.
  [[nodiscard]] const std::string& host() const { return host_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  // Of a host that is one.
  [[nodiscard]] const std::optional<net::IpAddress>& address() const { return address_; }
  // "Basic ...", or nothing: the value of an Authorization field (RFC 7617).
  [[nodiscard]] std::string_view authorization() const { return authorization_; }

  // What is asked for: without user and password.
  [[nodiscard]] std::string wire() const;
  // For logs and lists: user, password and the query, where tokens stand, are not in it.
  [[nodiscard]] std::string shown() const;

  // What can be said before anybody is connected to: the port, and the host if it is an address.
  // Errors: unauthorized.
  [[nodiscard]] Result<void> judge(const net::OutboundRule& rule) const;

 private:
  TargetUrl() = default;
  [[nodiscard]] std::string origin(std::string_view before_host) const;

  bool secure_ = false;
  std::uint16_t port_ = 0;
  std::string host_;
  std::optional<net::IpAddress> address_;
  SecretText authorization_;
  std::string path_;   // begins with "/"
  std::string query_;  // with its "?", or empty
};

}  // namespace todoku::http
