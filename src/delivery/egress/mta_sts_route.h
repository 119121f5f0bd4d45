// SPDX-License-Identifier: Apache-2.0
// The way that a domain's MTA-STS policy leaves (RFC 8461 section 5). A policy is the recipient
// domain's, connections are the site's: mail of a domain that enforces one gets a route of its own
// within the lane, with those hosts that the policy names, and its connections carry no other mail
// but that of domains whose policies leave the same hosts. Limits, pace and rest stay the lane's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "delivery/egress/lane_seat.h"
#include "delivery/policy/sts_exception.h"
#include "dns/mail_route.h"
#include "mailauth/mta_sts/policy.h"

namespace todoku::delivery::egress {

// `answer` holds a route. `policy`: nullptr for none; one that is not enforced changes nothing.
// With an exception for the hosts that it names they are left, and nothing is asked of them.
// nullopt: it names none of the route's hosts.
[[nodiscard]] std::optional<LaneRoute> mta_sts_route(
    std::shared_ptr<const dns::RouteAnswer> answer, const mailauth::mta_sts::Policy* policy,
    policy::StsException exception = policy::StsException::none);

// "4.7.5 the MTA-STS policy of example.jp names none of its mail servers: mx.example.com".
[[nodiscard]] std::string no_host_named(std::string_view domain, const dns::MailRoute& route);

}  // namespace todoku::delivery::egress
