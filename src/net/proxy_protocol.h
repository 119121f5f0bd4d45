// SPDX-License-Identifier: Apache-2.0
// What a proxy says of the connection that it passes on, before the client's first octet: the PROXY
// protocol, versions 1 and 2 ("The PROXY protocol", haproxy.org, doc/proxy-protocol.txt). Pure: no
// socket. Whether a peer may say it, and must, is the caller's to know and never guessed from the
// octets (section 2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/endpoint.h"

namespace todoku::net {

struct ProxyHeader {
  // The proxy speaks for itself (LOCAL: a look whether we live), or for a client that it cannot
  // name (UNKNOWN, UNSPEC, a Unix socket): the connection's own ends count, and below is nothing.
  bool local = false;
  Endpoint source;  // the client; an IPv4 address inside an IPv6 one is given as itself
  Endpoint destination;

  friend bool operator==(const ProxyHeader&, const ProxyHeader&) = default;
};

// The header of version 2 that we write ourselves, to a proxy that connects on our behalf: a TCP
// connection from `source` (its port may be 0) to `destination`, which are of one family.
[[nodiscard]] std::string proxy_header(const Endpoint& source, const Endpoint& destination);

// Takes octets in any cut and holds at most one header of them: 107 octets of version 1, 16 and
// kLengthMax of version 2. Anything after the header is left to the caller.
class ProxyProtocolParser {
 public:
  static constexpr std::size_t kLineMax = 107;     // section 2.1, CRLF counted
  static constexpr std::size_t kLengthMax = 2048;  // addresses and TLVs of version 2

  // How many octets may be read at once so that none after the header is among them; 0 once the
  // header is whole or broken.
  [[nodiscard]] std::size_t wanted() const;

  // Takes what belongs to the header off the front of `piece`. True: header() is whole, and the
  // rest of `piece` is the client's. False: all was taken and more is needed. Errors: corrupt, with
  // why; the same one from then on, and the connection is only good for closing.
  [[nodiscard]] Result<bool> take(std::string_view& piece);

  // Precondition: take() gave true.
  [[nodiscard]] const ProxyHeader& header() const { return header_; }

 private:
  enum class State : std::uint8_t { begin, line, binary, whole, broken };

  [[nodiscard]] Result<void> take_octet(char c);
  [[nodiscard]] Result<void> look_at_line();
  [[nodiscard]] Result<void> look_at_prefix();
  [[nodiscard]] Result<void> look_at_body();
  void finish(ProxyHeader header);

  State state_ = State::begin;
  std::string held_;
  std::size_t total_ = 0;  // octets of a header of version 2, once known
  ProxyHeader header_;
  std::string why_;
};

}  // namespace todoku::net
