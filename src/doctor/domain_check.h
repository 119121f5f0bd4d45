// SPDX-License-Identifier: Apache-2.0
// Judges the live zone of a domain as receivers would, by what each of its servers says: findings
// with the faults that people and DNS panels make, by name.
//
//   view.servers: each asked zone_questions(wish, view.zone)      (dns/ask_server.h)
//   findings = gather_facts(resolver, facts, check_domain(wish, view, facts))
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "doctor/domain_records.h"
#include "doctor/finding.h"
#include "mailauth/facts/dns_facts.h"
#include "mailauth/facts/server_answers.h"

namespace todoku::doctor {

struct ServerView {
  std::string name;  // for people: "ns1.example.jp (192.0.2.53)"
  mailauth::ServerAnswers answers;
};

struct ZoneView {
  std::string zone;  // where the servers' zone begins: at the domain, or above it
  std::vector<ServerView> servers;
  std::vector<std::string> without_address;  // names of servers that have none
};

// What each server is asked, each once.
[[nodiscard]] std::vector<mailauth::DnsQuestion> zone_questions(const DomainWish& wish,
                                                                std::string_view zone);

// Addresses of the hosts that the servers named as MX, where those are of the zone: asked of each
// server after zone_questions(), the answers beside the first ones.
[[nodiscard]] std::vector<mailauth::DnsQuestion> host_questions(const DomainWish& wish,
                                                                const ZoneView& view);

// What the zone holds for wanted_records(), as far as it is known.
[[nodiscard]] ZoneNow zone_now(const DomainWish& wish, const ZoneView& view,
                               mailauth::DnsFacts& facts);

// In the order of reading: servers, DKIM, SPF, hosts, DMARC, mail to the domain. While something is
// wanted of `facts`, which a resolver answers, the findings mean nothing.
[[nodiscard]] std::vector<Finding> check_domain(const DomainWish& wish, const ZoneView& view,
                                                mailauth::DnsFacts& facts);

}  // namespace todoku::doctor
