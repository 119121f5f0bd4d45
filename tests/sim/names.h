// SPDX-License-Identifier: Apache-2.0
// The domain name system of the simulation: a zone in memory that answers late, or not at all for a
// while, as the script says.
#pragma once

#include <map>
#include <string>

#include "dns/fake_resolver.h"
#include "sim/clock.h"
#include "sim/scenario.h"

namespace todoku::sim {

class Names final : public dns::Resolver {
 public:
  Names(dns::FakeResolver::Zone zone, const std::vector<DnsScript>& scripts, const SimClock& clock);

  Task<Result<dns::Answer<dns::MxRecord>>> mx(std::string name) override;
  Task<Result<dns::Answer<net::IpAddress>>> a(std::string name) override;
  Task<Result<dns::Answer<net::IpAddress>>> aaaa(std::string name) override;
  Task<Result<dns::Answer<std::string>>> txt(std::string name) override;
  Task<Result<dns::Answer<std::string>>> ptr(net::IpAddress address) override;
  Task<Result<dns::Answer<dns::TlsaRecord>>> tlsa(std::string name) override;
  Task<Result<dns::Answer<std::string>>> cname(std::string name) override;

 private:
  // Waits as long as the answer takes. False: there will be none.
  Task<bool> reach(std::string name);

  dns::FakeResolver zone_;
  std::map<std::string, DnsScript> scripts_;
  const SimClock& clock_;
};

}  // namespace todoku::sim
