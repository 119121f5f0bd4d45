// SPDX-License-Identifier: Apache-2.0
// The shell around the decisions of mail_route.h: the questions, those about addresses all at once.
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "dns/dane_records.h"
#include "dns/mail_route.h"
#include "dns/questions.h"
#include "dns/statuses.h"

namespace todoku::dns {
namespace {

Task<std::vector<HostAnswers>> addresses_of(
    Resolver& resolver,  // NOLINT(*-reference-coroutine-parameters)
    std::vector<std::string> names) {
  const async::Executor executor = co_await boost::asio::this_coro::executor;
  const auto questions = std::make_shared<Questions<std::vector<HostAnswers>>>(
      executor, std::vector<HostAnswers>(names.size()));
  for (std::size_t i = 0; i < names.size(); ++i) {
    HostAnswers& answers = questions->answers[i];
    ask(executor, questions, resolver.a(names[i]), &answers.ipv4);
    ask(executor, questions, resolver.aaaa(names[i]), &answers.ipv6);
  }
  while (questions->open > 0) co_await questions->answered.wait();
  co_return std::move(questions->answers);
}

std::vector<std::string> names_of(const RoutePlan& plan) {
  std::vector<std::string> names;
  for (const MailHost& host : plan.hosts) names.push_back(host.name);
  return names;
}

Task<RouteAnswer> find_host(Resolver& resolver,  // NOLINT(*-reference-coroutine-parameters)
                            std::string host, RouteOptions options) {
  if (const auto address = net::IpAddress::parse(host)) co_return route_to(*address, options);
  RoutePlan plan = plan_host(host);
  const auto answers = co_await addresses_of(resolver, names_of(plan));
  co_return settle_route(host, std::move(plan), answers, options);
}

}  // namespace

Task<RouteAnswer> find_route(Resolver& resolver, std::string domain, const RouteOptions& options) {
  if (domain.starts_with('[')) {
    co_return std::unexpected(Unroutable{
        .permanent = true,
        .status = kBadSystem,
        .reason = fmt::format("mail to an address literal such as {} is not delivered", domain),
        .cause = Cause::no_route});
  }
  if (domain.starts_with(kHostMark)) {
    auto to_host = find_host(resolver, domain.substr(1), for_host(options));
    co_return co_await std::move(to_host);
  }
  const auto mx = co_await resolver.mx(domain);
  auto plan = plan_route(domain, mx, options);
  if (!plan) co_return std::unexpected(std::move(plan.error()));

  const auto answers = co_await addresses_of(resolver, names_of(*plan));
  auto route = settle_route(domain, std::move(*plan), answers, options);
  if (route && options.wants_dane && options.wants_dane(route->site)) {
    co_await ask_for_dane(resolver, route);
  }
  co_return route;
}

}  // namespace todoku::dns
