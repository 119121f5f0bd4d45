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
Task<RouteAnswer> find_route(Resolver& resolver, std::string domain, const RouteOptions& options) {
  if (domain.starts_with('[')) {
    co_return std::unexpected(Unroutable{
        .permanent = true,
        .status = kBadSystem,
        .reason = fmt::format("mail to an address literal such as {} is not delivered", domain),
        .cause = Cause::no_route});
  }
  const auto mx = co_await resolver.mx(domain);
  auto plan = plan_route(domain, mx, options);
  if (!plan) co_return std::unexpected(std::move(plan.error()));

  const async::Executor executor = co_await boost::asio::this_coro::executor;
  const auto questions = std::make_shared<Questions<std::vector<HostAnswers>>>(
      executor, std::vector<HostAnswers>(plan->hosts.size()));
  for (std::size_t i = 0; i < plan->hosts.size(); ++i) {
    HostAnswers& answers = questions->answers[i];
    ask(executor, questions, resolver.a(plan->hosts[i].name), &answers.ipv4);
    ask(executor, questions, resolver.aaaa(plan->hosts[i].name), &answers.ipv6);
  }
  while (questions->open > 0) co_await questions->answered.wait();
  auto route = settle_route(domain, std::move(*plan), questions->answers, options);
  if (route && options.wants_dane && options.wants_dane(route->site)) {
    co_await ask_for_dane(resolver, route);
  }
  co_return route;
}

}  // namespace todoku::dns
