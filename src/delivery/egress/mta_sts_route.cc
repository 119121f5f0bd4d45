// SPDX-License-Identifier: Apache-2.0
#include "delivery/egress/mta_sts_route.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "delivery/egress/lane.h"
#include "delivery/policy/tls_policy.h"

namespace todoku::delivery::egress {
namespace {

constexpr std::size_t kHostsTold = 5;

bool is_left(const dns::MailHost& host, const mailauth::mta_sts::Policy& policy) {
  return policy::may_use_host(mailauth::mta_sts::names(policy, host.name),
                              host.dane.demand == DaneDemand::proof);
}

}  // namespace

std::optional<LaneRoute> mta_sts_route(std::shared_ptr<const dns::RouteAnswer> answer,
                                       const mailauth::mta_sts::Policy* policy,
                                       policy::StsException exception) {
  const bool is_enforced = policy != nullptr && policy->mode == mailauth::mta_sts::Mode::enforce;
  if (!is_enforced || exception == policy::StsException::whole) {
    std::string key = route_key(**answer);
    return LaneRoute{.key = std::move(key), .answer = std::move(answer)};
  }
  const auto leaves = [policy](const dns::MailHost& host) { return is_left(host, *policy); };
  if (std::ranges::none_of((*answer)->hosts, leaves)) return std::nullopt;
  if (!std::ranges::all_of((*answer)->hosts, leaves)) {
    dns::MailRoute left = **answer;
    std::erase_if(left.hosts, [&](const dns::MailHost& host) { return !leaves(host); });
    answer = std::make_shared<const dns::RouteAnswer>(std::move(left));
  }
  std::string key = route_key(**answer);
  if (exception == policy::StsException::named_hosts) {
    return LaneRoute{.key = std::move(key), .answer = std::move(answer)};
  }
  key += " mta-sts";  // no host name has a space in it
  return LaneRoute{.key = std::move(key), .answer = std::move(answer), .mta_sts = true};
}

std::string no_host_named(std::string_view domain, const dns::MailRoute& route) {
  std::string hosts;
  for (std::size_t i = 0; i < std::min(route.hosts.size(), kHostsTold); ++i) {
    if (i > 0) hosts += ", ";
    hosts += route.hosts[i].name;
  }
  return fmt::format("4.7.5 the MTA-STS policy of {} names none of its mail servers: {}{}", domain,
                     hosts, route.hosts.size() > kHostsTold ? " and more" : "");
}

}  // namespace todoku::delivery::egress
