// SPDX-License-Identifier: Apache-2.0
// Whom a delivery goes to, and who of them cannot be reached: by the domains of its recipients, and
// by a sample of these. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/finding.h"
#include "doctor/preflight_mail.h"
#include "mailauth/facts/dns_facts.h"

namespace todoku::doctor {

enum class DomainState : std::uint8_t {
  open,            // the DNS did not answer, or not in time
  takes_mail,      // it has an MX, or an address (RFC 5321 section 5.1)
  no_such_domain,  // NXDOMAIN
  takes_none,      // a null MX (RFC 7505), or neither MX nor address
};
// While something is wanted of `facts` it means nothing.
[[nodiscard]] DomainState state_of_domain(const std::string& domain, mailauth::DnsFacts& facts);

struct AudienceDomain {
  std::string domain;
  std::int64_t recipients = 0;
  DomainState state = DomainState::open;
  bool is_sampled = false;  // it stands for all of the smaller domains
};

// More than so many of those who are counted cannot be reached: the list is not one to send to.
inline constexpr double kMuchUnreachable = 0.05;
inline constexpr double kMuchSuppressed = 0.10;

struct Audience {
  std::vector<AudienceDomain> domains;  // those that were asked about
  // At all of the smaller domains, asked about or not: shares count those that are sampled as so
  // many. 0: none is.
  std::int64_t smaller_recipients = 0;
  std::size_t sampled = 0;  // of these recipients:
  std::size_t suppressed = 0;
  std::size_t malformed = 0;
  std::string malformed_such_as;
};
[[nodiscard]] std::vector<Finding> audience_findings(const Audience& audience);

// Whose mailboxes are at this domain; nullopt: somebody else's.
[[nodiscard]] std::optional<Receiver> receiver_of(std::string_view domain);
[[nodiscard]] AudienceReceivers receivers_of(std::span<const AudienceDomain> domains);

}  // namespace todoku::doctor
