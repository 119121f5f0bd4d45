// SPDX-License-Identifier: Apache-2.0
#include "operate/networks.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/printable.h"
#include "net/network.h"

namespace todoku::operate {

Result<std::vector<std::string>> read_networks(std::string_view text) {
  std::vector<std::string> networks;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view word = trim(text.substr(0, end));
    const auto network = net::Network::parse(word);
    if (!network) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("networks has \"{}\": {}", printable(word.substr(0, 100)),
                              network.error().detail));
    }
    if (networks.size() == kNetworksMax) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("at most {} networks can be given", kNetworksMax));
    }
    networks.push_back(network->to_string());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return networks;
}

}  // namespace todoku::operate
