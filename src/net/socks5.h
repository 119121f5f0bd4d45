// SPDX-License-Identifier: Apache-2.0
// The client's side of SOCKS version 5 (RFC 1928) with user name and password (RFC 1929), as a pure
// state machine: CONNECT to an address, never to a name, so a proxy asks no DNS for us. Whoever has
// the socket writes output(), then reads wanted() octets at most, so that none of what the other
// end says is taken for the proxy's.
//
//   greeting ->                      "05 n methods"
//            <- "05 method"          02: user name and password -> ; 00: on at once
//   [login ->
//            <- "01 00"]
//   CONNECT ->
//            <- "05 reply 00 type address port"
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "mail/client_login.h"
#include "net/endpoint.h"

namespace todoku::net {

class Socks5Handshake {
 public:
  // `login`: nullptr for none; 1 to 255 octets each; needed until the end.
  Socks5Handshake(const Endpoint& remote, const ClientLogin* login);

  // To be written now; empty once it is. Holds the password for a moment.
  [[nodiscard]] std::string_view output() const { return output_; }
  void written();
  // How many octets may be read at once; 0: nothing is to be read.
  [[nodiscard]] std::size_t wanted() const { return wanted_ - held_.size(); }
  // Takes what was read, at most wanted(). Errors, after which the connection is only good for
  // closing: unavailable (the proxy: it is none, lets us not in, or does not do this); timeout,
  // closed, io (it tells that the other end was not reached).
  [[nodiscard]] Result<void> take(std::string_view octets);
  // What is awaited depends on the other end.
  [[nodiscard]] bool asks_to_connect() const { return state_ == State::reply; }
  // The other end is connected, and whatever comes is its.
  [[nodiscard]] bool is_connected() const { return state_ == State::connected; }

 private:
  enum class State : std::uint8_t { method, login, reply, address, connected, broken };

  [[nodiscard]] Result<void> on_whole();
  [[nodiscard]] Result<void> on_method();
  [[nodiscard]] Result<void> on_login();
  [[nodiscard]] Result<void> on_reply();
  void expect(State state, std::size_t octets);
  void ask_to_connect();

  const Endpoint remote_;
  const ClientLogin* const login_;
  State state_ = State::method;
  std::string output_;
  std::string held_;
  std::size_t wanted_ = 2;
};

}  // namespace todoku::net
