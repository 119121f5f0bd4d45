// SPDX-License-Identifier: Apache-2.0
// A domain's live zone, asked of each of its authoritative servers: who they are, what each says,
// and what that means (doctor/domain_check.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "cli/check_resolver.h"
#include "doctor/domain_check.h"
#include "net/endpoint.h"

namespace todoku::cli {

struct ProbeOptions {
  std::string resolver;              // "HOST:PORT"; empty: as the installation asks
  std::vector<std::string> servers;  // "ADDRESS[:PORT]", asked instead of the zone's own
  std::uint16_t port = 53;           // of the zone's own
};

// No zone has more servers that are asked: names times addresses of each.
inline constexpr std::size_t kProbedServersMax = 26;

// `servers` as endpoints. Errors: invalid_input, with the one that is none.
[[nodiscard]] Result<std::vector<net::Endpoint>> servers_of(const ProbeOptions& options);

struct ProbedDomain {
  doctor::ZoneNow now;  // as far as it could be found out
  std::vector<doctor::Finding> findings;
  bool is_known = false;  // a server has answered
};

// `names` outlives the task. Whatever fails is a finding.
[[nodiscard]] Task<ProbedDomain> probe_domain(doctor::DomainWish wish,
                                              std::vector<net::Endpoint> servers,
                                              std::uint16_t port, CheckResolver& names);

// That nobody serves the domain, as probe_domain() finds it; none where that is not known.
[[nodiscard]] Task<std::vector<doctor::Finding>> domain_is_absent(std::string domain,
                                                                  CheckResolver& names);

// The servers of the domain's zone that are not among `servers`: a finding, or none where each of
// them is, or one that says why they are not known.
[[nodiscard]] Task<std::vector<doctor::Finding>> servers_left_out(
    std::string domain, std::vector<net::Endpoint> servers, CheckResolver& names);

}  // namespace todoku::cli
