// SPDX-License-Identifier: Apache-2.0
// Whether everybody gets a new DKIM key: asked of each authoritative server of the platform's zone,
// for the CNAME of each of the domain's (or of its `_domainkey`, where that is a zone of its own),
// and through it of a resolver.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "async/task.h"
#include "dns/ask_server.h"
#include "dns/resolver.h"
#include "mailauth/facts/server_answers.h"
#include "net/endpoint.h"
#include "operate/key_slots.h"

namespace todoku::app {

struct WantedKey {
  operate::SlotName at;
  std::string record;
};

struct KeyLook {
  std::string domain;
  std::string zone;  // of the platform
  std::vector<WantedKey> keys;
};

struct KeysSeen {
  operate::SlotFault fault = operate::SlotFault::none;  // none: everybody gets them
  std::string where;
};

struct KeyProbe {
  dns::Resolver& resolver;  // remembers nothing of before
  dns::AskNameServers name_servers;
  std::uint16_t port = 53;  // of authoritative servers
  std::function<Task<mailauth::ServerAnswers>(net::Endpoint server,
                                              std::vector<mailauth::DnsQuestion> questions)>
      ask = [](net::Endpoint server, std::vector<mailauth::DnsQuestion> questions) {
        return dns::ask_server(server, std::move(questions));
      };
};

// What is wrong first. What the probe refers to must outlive the task.
[[nodiscard]] Task<KeysSeen> look_for_keys(KeyProbe probe, KeyLook look);

}  // namespace todoku::app
