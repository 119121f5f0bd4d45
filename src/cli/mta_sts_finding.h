// SPDX-License-Identifier: Apache-2.0
// What MTA-STS (RFC 8461) means for mail to a domain, as `todoku mta-sts check` finds it now.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace todoku::cli {

struct MtaStsWish {
  std::string domain;
  std::string resolver;  // the name server to ask, "HOST:PORT"; empty: as configured
};

struct MtaStsFinding {
  // In the order of how much it asks for.
  enum class Verdict : std::uint8_t {
    off,            // our configuration does not go by policies
    none,           // there is no policy to go by: mail goes as by our own rules
    testing,        // the same; what the policy would forbid is only counted
    enforced,       // mail goes over verified TLS to the named hosts, or waits
    no_host_named,  // it waits: the policy names none of the hosts
  };
  struct Policy {
    std::string mode;
    std::vector<std::string> mx;
    std::int64_t max_age_seconds = 0;
  };
  struct Host {
    std::string name;
    bool named = false;  // by the policy
  };

  Verdict verdict = Verdict::none;
  std::string domain;         // A-labels
  std::string record;         // "found", "absent", "several", "broken", "failed"
  std::string record_reason;  // of "failed"
  std::string id;             // of "found"
  std::optional<Policy> policy;
  std::string result_type;   // RFC 8460, of a fetch that gave no policy
  std::string reason;        // likewise
  std::vector<Host> hosts;   // by preference
  std::string hosts_reason;  // why they are not known
};

}  // namespace todoku::cli
