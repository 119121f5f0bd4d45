// SPDX-License-Identifier: Apache-2.0
#include "net/socks5.h"

#include <array>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/wipe.h"

namespace todoku::net {
namespace {

constexpr char kVersion = 5;
constexpr char kNoLogin = 0;
constexpr char kUserAndPassword = 2;
constexpr char kLoginVersion = 1;  // RFC 1929
constexpr char kConnect = 1;
constexpr char kV4 = 1;
constexpr char kName = 3;
constexpr char kV6 = 4;
constexpr std::size_t kPortOctets = 2;
// Version, reply, reserved, the address's type and its first octet, which of a name is its length.
constexpr std::size_t kReplyHead = 5;

std::unexpected<Error> no_proxy(std::string_view why) {
  return fail(ErrorKind::unavailable, fmt::format("SOCKS5 proxy: {}", why));
}

// RFC 1928 section 6. What it says of the other end is the other end's; a "general failure" may be
// anything, so nobody's word against a receiver.
Result<void> outcome_of_reply(std::uint8_t reply) {
  switch (reply) {
    case 0:
      return {};
    case 2:
      return no_proxy("its rules do not allow the connection");
    case 3:
      return fail(ErrorKind::io, "connect: Network is unreachable (said the proxy)");
    case 4:
      return fail(ErrorKind::io, "connect: No route to host (said the proxy)");
    case 5:
      return fail(ErrorKind::closed, "connect: Connection refused (said the proxy)");
    case 6:
      return fail(ErrorKind::io, "connect: TTL expired (said the proxy)");
    case 7:
      return no_proxy("it does not know CONNECT");
    case 8:
      return no_proxy("it does not know this kind of address");
    default:
      return no_proxy(fmt::format("it failed (reply {})", reply));
  }
}

}  // namespace

Socks5Handshake::Socks5Handshake(const Endpoint& remote, const ClientLogin* login)
    : remote_(remote), login_(login) {
  constexpr std::size_t kMost = 255;
  check(login == nullptr ||
            (!login->user.empty() && login->user.size() <= kMost &&
             !login->password.view().empty() && login->password.view().size() <= kMost),
        "user and password of a SOCKS5 proxy have 1 to 255 octets");
  // Who has a login does not go on without one.
  output_ = {kVersion, 1, login == nullptr ? kNoLogin : kUserAndPassword};
}

void Socks5Handshake::written() {
  wipe(output_);
  output_.clear();
}

Result<void> Socks5Handshake::take(std::string_view octets) {
  check(octets.size() <= wanted(), "no more is taken than is wanted");
  held_ += octets;
  if (wanted() > 0 || state_ == State::connected) return {};
  auto done = on_whole();
  if (!done) expect(State::broken, 0);
  return done;
}

Result<void> Socks5Handshake::on_whole() {
  switch (state_) {
    case State::method:
      return on_method();
    case State::login:
      return on_login();
    case State::reply:
      return on_reply();
    case State::address:
      expect(State::connected, 0);
      return {};
    case State::connected:
    case State::broken:
      break;
  }
  return no_proxy("it says more than it should");
}

void Socks5Handshake::expect(State state, std::size_t octets) {
  state_ = state;
  held_.clear();
  wanted_ = octets;
}

Result<void> Socks5Handshake::on_method() {
  if (held_[0] != kVersion) return no_proxy("what answers does not speak SOCKS5");
  if (held_[1] != (login_ == nullptr ? kNoLogin : kUserAndPassword)) {
    return no_proxy(login_ == nullptr ? "it wants a login" : "it takes no user name and password");
  }
  if (login_ == nullptr) {
    ask_to_connect();
    return {};
  }
  const std::string_view password = login_->password.view();
  output_ = {kLoginVersion, static_cast<char>(login_->user.size())};
  output_.append(login_->user).append(1, static_cast<char>(password.size())).append(password);
  expect(State::login, 2);
  return {};
}

Result<void> Socks5Handshake::on_login() {
  if (held_[1] != 0) return no_proxy("it does not let us log in");
  ask_to_connect();
  return {};
}

void Socks5Handshake::ask_to_connect() {
  output_ = {kVersion, kConnect, 0, remote_.address.is_v4() ? kV4 : kV6};
  output_.append(as_text(remote_.address.octets()));
  output_ += static_cast<char>(remote_.port >> 8U);
  output_ += static_cast<char>(remote_.port & 0xFFU);
  expect(State::reply, kReplyHead);
}

Result<void> Socks5Handshake::on_reply() {
  if (held_[0] != kVersion) return no_proxy("its reply is no SOCKS5");
  if (auto outcome = outcome_of_reply(static_cast<std::uint8_t>(held_[1])); !outcome) {
    return outcome;
  }
  // The address that it connects from, which nobody needs.
  std::size_t octets = 0;
  switch (held_[3]) {
    case kV4:
      octets = 3;
      break;
    case kV6:
      octets = 15;
      break;
    case kName:
      octets = static_cast<std::uint8_t>(held_[4]);
      break;
    default:
      return no_proxy("its reply has no address");
  }
  expect(State::address, octets + kPortOctets);
  return {};
}

}  // namespace todoku::net
