// SPDX-License-Identifier: Apache-2.0
#include "http/forwarded.h"

#include <vector>

#include <gtest/gtest.h>

namespace todoku::http {
namespace {

std::string client_of(std::string_view peer, const std::vector<std::string>& forwarded,
                      const std::vector<std::string>& trusted = {"10.0.0.0/8", "2001:db8:1::/48"}) {
  Request request;
  request.remote = *net::Endpoint::parse(peer, 40'000);
  for (const std::string& value : forwarded) request.headers.add("x-forwarded-for", value);
  std::vector<net::Network> networks;
  for (const std::string& network : trusted) networks.push_back(*net::Network::parse(network));
  return client_address(request, networks).to_string();
}

TEST(ClientAddress, IsThePeerUnlessThatIsAProxyOfOurs) {
  EXPECT_EQ(client_of("192.0.2.1", {"198.51.100.7"}), "192.0.2.1");
  EXPECT_EQ(client_of("10.1.2.3", {"198.51.100.7"}, {}), "10.1.2.3");
  EXPECT_EQ(client_of("10.1.2.3", {}), "10.1.2.3");
}

TEST(ClientAddress, IsTheLastOneThatAProxyOfOursHeardFrom) {
  EXPECT_EQ(client_of("10.1.2.3", {"198.51.100.7"}), "198.51.100.7");
  EXPECT_EQ(client_of("10.1.2.3", {"203.0.113.9, 198.51.100.7"}), "198.51.100.7")
      << "what stands before may be anybody's word";
  EXPECT_EQ(client_of("10.1.2.3", {"203.0.113.9, 198.51.100.7, 10.9.9.9"}), "198.51.100.7");
  EXPECT_EQ(client_of("10.1.2.3", {"203.0.113.9", "198.51.100.7", "10.9.9.9"}), "198.51.100.7")
      << "several fields are one list";
  EXPECT_EQ(client_of("10.1.2.3", {"10.0.0.1,10.0.0.2"}), "10.0.0.1");
  EXPECT_EQ(client_of("2001:db8:1::1", {"2001:db8:ffff::7"}), "2001:db8:ffff::7");
}

TEST(ClientAddress, TakesPortsAndStopsAtWhatIsNoAddress) {
  EXPECT_EQ(client_of("10.1.2.3", {"198.51.100.7:51234"}), "198.51.100.7");
  EXPECT_EQ(client_of("10.1.2.3", {"[2001:db8:ffff::7]:443"}), "2001:db8:ffff::7");
  EXPECT_EQ(client_of("10.1.2.3", {"198.51.100.7, unknown"}), "10.1.2.3");
  EXPECT_EQ(client_of("10.1.2.3", {"198.51.100.7, , 10.0.0.1"}), "10.0.0.1");
  EXPECT_EQ(client_of("10.1.2.3", {""}), "10.1.2.3");
}

}  // namespace
}  // namespace todoku::http
