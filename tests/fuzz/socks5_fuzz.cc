// SPDX-License-Identifier: Apache-2.0
// Any octets as what a SOCKS5 proxy says. Oracles: nothing dies; it ends after few octets; what
// comes of them does not depend on the cut; nothing of the other end's is read.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/socks5.h"

namespace todoku::net {
namespace {

struct Came {
  bool connected = false;
  std::string why;
  std::size_t used = 0;
  friend bool operator==(const Came&, const Came&) = default;
};

Came talk(std::string_view octets, std::size_t cut, const ClientLogin* login) {
  constexpr std::size_t kMost = 2 + 2 + 5 + 255 + 2;
  Socks5Handshake handshake(*Endpoint::parse("192.0.2.1:25"), login);
  Came came;
  while (!handshake.is_connected()) {
    if (!handshake.output().empty()) handshake.written();
    const std::string_view piece =
        octets.substr(came.used).substr(0, std::min(cut, handshake.wanted()));
    if (piece.empty()) break;
    came.used += piece.size();
    check(came.used <= kMost, "a handshake is short");
    const auto taken = handshake.take(piece);
    if (taken) continue;
    came.why = taken.error().detail;
    break;
  }
  came.connected = handshake.is_connected();
  check(!came.connected || handshake.wanted() == 0, "who is connected reads nothing more");
  return came;
}

}  // namespace
}  // namespace todoku::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku;
  using namespace todoku::net;
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  static const ClientLogin login{.user = "user", .password = SecretText("pencil")};
  for (const ClientLogin* as : {static_cast<const ClientLogin*>(nullptr), &login}) {
    check(talk(octets, 1, as) == talk(octets, size, as), "the cut does not matter");
  }
  return 0;
}
