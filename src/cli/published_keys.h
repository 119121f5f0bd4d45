// SPDX-License-Identifier: Apache-2.0
// Whether keys may sign: everybody who checks a signature would get their records.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/domain_probe.h"
#include "doctor/domain_records.h"
#include "doctor/finding.h"

namespace todoku::cli {

struct KeysToJudge {
  std::string domain;
  std::vector<doctor::DomainKey> keys;
  std::vector<net::Endpoint> servers;  // servers_of()
  std::uint16_t port = 53;
  bool anyway = false;  // though `servers` are not all of the zone
};

// Keys are judged by themselves: what else is wrong with the domain is no matter here.
[[nodiscard]] std::vector<doctor::Finding> judge_keys(const KeysToJudge& given,
                                                      CheckResolver& names);

// `anyway`: a resolver that fails on what the servers have does not count.
[[nodiscard]] bool is_published(const std::vector<doctor::Finding>& findings, bool anyway);

}  // namespace todoku::cli
