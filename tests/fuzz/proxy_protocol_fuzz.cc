// SPDX-License-Identifier: Apache-2.0
// Any octets as a PROXY header. Oracles: nothing dies; what comes of them, and what is left for the
// client, does not depend on the cut; who reads only what is wanted reads nothing of the client's;
// a header is no longer than it may be.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/random.h"
#include "net/proxy_protocol.h"

namespace todoku::net {
namespace {

struct Came {
  bool whole = false;
  std::string why;
  ProxyHeader header;
  std::size_t used = 0;

  friend bool operator==(const Came&, const Came&) = default;
};

enum class Cut : std::uint8_t { none, random, wanted };

Came parse(std::string_view octets, Cut cut, Random& random) {
  ProxyProtocolParser parser;
  Came came;
  while (came.used < octets.size() && parser.wanted() > 0) {
    std::string_view piece = octets.substr(came.used);
    if (cut == Cut::random) piece = piece.substr(0, 1 + random.below(30));
    if (cut == Cut::wanted) piece = piece.substr(0, parser.wanted());
    const std::size_t given = piece.size();
    const Result<bool> whole = parser.take(piece);
    came.used += given - piece.size();
    if (!whole) {
      came.why = whole.error().detail;
    } else if (*whole) {
      came.whole = true;
      came.header = parser.header();
    } else {
      check(piece.empty(), "all is taken while more is needed");
    }
    if (cut == Cut::wanted) check(piece.empty() || !whole, "what is wanted is the header's");
  }
  return came;
}

}  // namespace
}  // namespace todoku::net

// The first octet chooses the cut of the rest.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku;
  if (size == 0) return 0;
  SeededRandom random(data[0]);
  const std::string_view octets(reinterpret_cast<const char*>(data + 1), size - 1);
  const net::Came all = net::parse(octets, net::Cut::none, random);
  check(all == net::parse(octets, net::Cut::random, random), "pieces do not matter");
  check(all == net::parse(octets, net::Cut::wanted, random), "nor does reading what is wanted");
  check(!all.whole || all.why.empty(), "it is whole or broken");
  const std::size_t longest = 16 + net::ProxyProtocolParser::kLengthMax;
  check(all.used <= longest, "a header is bounded");
  if (all.whole && all.header.local) {
    check(all.header == net::ProxyHeader{.local = true}, "nobody is named where nobody is known");
  }
  return 0;
}
