// SPDX-License-Identifier: Apache-2.0
// The shell around the decisions of mail_route.h: the questions, those about addresses all at once.
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include "async/timer.h"
#include "dns/mail_route.h"

namespace todoku::dns {
namespace {

constexpr EnhancedStatus kBadSystem{.klass = 5, .subject = 1, .detail = 2};

// What is asked about one domain's hosts. The questions own it together with the asker, who may be
// cancelled before they end.
struct Questions {
  Questions(const async::Executor& executor, std::size_t hosts)
      : answers(hosts), answered(executor) {}
  std::vector<HostAnswers> answers;
  std::size_t open = 0;
  async::Signal answered;  // all of them
};

// Puts the answer to `question` where `place` says.
void ask(const async::Executor& executor, const std::shared_ptr<Questions>& questions,
         Task<AddressAnswer> question, AddressAnswer* place) {
  ++questions->open;
  // `place` points into what `questions` keeps alive.
  auto done = [questions, place](const std::exception_ptr& thrown, AddressAnswer answer) {
    *place = thrown ? fail(ErrorKind::unavailable, "the look-up broke off") : std::move(answer);
    if (--questions->open == 0) questions->answered.notify();
  };
  boost::asio::co_spawn(executor, std::move(question), std::move(done));
}

}  // namespace

Task<RouteAnswer> find_route(Resolver& resolver, std::string domain, const RouteOptions& options) {
  if (domain.starts_with('[')) {
    co_return std::unexpected(
        Unroutable{.permanent = true,
                   .status = kBadSystem,
                   .reason = "mail to an address literal such as " + domain + " is not delivered"});
  }
  const auto mx = co_await resolver.mx(domain);
  auto plan = plan_route(domain, mx, options);
  if (!plan) co_return std::unexpected(std::move(plan.error()));

  const async::Executor executor = co_await boost::asio::this_coro::executor;
  const auto questions = std::make_shared<Questions>(executor, plan->hosts.size());
  for (std::size_t i = 0; i < plan->hosts.size(); ++i) {
    HostAnswers& answers = questions->answers[i];
    ask(executor, questions, resolver.a(plan->hosts[i].name), &answers.ipv4);
    ask(executor, questions, resolver.aaaa(plan->hosts[i].name), &answers.ipv6);
  }
  while (questions->open > 0) co_await questions->answered.wait();
  co_return settle_route(domain, std::move(*plan), questions->answers, options);
}

}  // namespace todoku::dns
