// SPDX-License-Identifier: Apache-2.0
// Probes of mailboxes as operators ask for them and see them (store/probes.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/probes.h"

namespace todoku::operate {

struct ProbeMailbox {
  std::string name;
  std::string provider;
  std::string address;
  std::string host;
};

// What is configured.
struct ProbePlan {
  std::vector<ProbeMailbox> mailboxes;
  std::vector<std::string> senders;
  std::int64_t every_minutes = 0;  // 0: only when asked for
};

struct ProbeRequest {
  std::string mailbox;  // empty: all
  std::string sender;   // likewise
};

struct ProbeHistoryRequest {
  std::string mailbox;  // empty: all
  std::int64_t limit = 100;
};

}  // namespace todoku::operate
