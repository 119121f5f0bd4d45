// SPDX-License-Identifier: Apache-2.0
// Networks as values: a prefix and its length.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/endpoint.h"

namespace todoku::net {

class Network {
 public:
  // "192.0.2.0/24", "2001:db8::/32", or a bare address, which is a network of one. Bits beyond the
  // prefix do not matter. Errors: invalid_input.
  [[nodiscard]] static Result<Network> parse(std::string_view text);
  // `bits` beyond the family's 32 or 128 count as these.
  Network(IpAddress address, unsigned bits);

  [[nodiscard]] bool contains(const IpAddress& address) const;
  // Its first address.
  [[nodiscard]] const IpAddress& prefix() const { return prefix_; }
  // Its last one; of a network of one, the same.
  [[nodiscard]] IpAddress last() const;
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const Network&, const Network&) = default;

 private:
  IpAddress prefix_;
  unsigned bits_;
};

// Whether one of them contains it.
[[nodiscard]] bool contain(std::span<const Network> networks, const IpAddress& address);

}  // namespace todoku::net
